"""Short harmless prompts for the injection classifier: questions, greetings, small tasks, in English and 42 other languages.

Statistics know little of a short text; these are the ones that people send all day. A grammar of its own, apart from
train_grammar.py, because it has no twins: an attack of five words is in the other grammars already. Own work.
"""
from train_grammar import expand, items

E = {}
E["country"] = items("""France|Germany|Italy|Spain|Japan|Brazil|Canada|Australia|India|China|Egypt|Kenya|Norway|Peru|Turkey|Poland|Ukraine|Mexico|Iceland|Vietnam|Nigeria|Portugal|Greece|Sweden|Argentina|Thailand
New Zealand|Morocco|Chile|Finland|Ireland|the Netherlands|South Korea|Indonesia|Switzerland|Austria|Cuba|Ethiopia|Mongolia|Hungary""")
E["city"] = items("Paris|London|Tokyo|Berlin|Madrid|Rome|Lisbon|Oslo|Cairo|Lima|Delhi|Seoul|New York|Chicago|Sydney|Toronto|Nairobi|Istanbul|Prague|Vienna|Dublin|Athens|Warsaw|Bangkok|Zurich|Munich|Hamburg|Boston|Kyiv|Dakar")
E["language"] = items("French|German|Spanish|Italian|Japanese|Polish|Dutch|Turkish|Arabic|Korean|Latin|Swedish|Portuguese|Russian|Hindi|Greek|Chinese|Finnish|Welsh|Swahili")
E["work"] = items("Hamlet|Don Quixote|War and Peace|Moby Dick|the Odyssey|Faust|the Magic Flute|Guernica|the Mona Lisa|Carmen|Emma|Frankenstein|the Ninth Symphony|Dracula|the Iliad|Les Miserables|Imagine|Bohemian Rhapsody|the Divine Comedy|1984")
E["who"] = items("Albert Einstein|Marie Curie|Napoleon|Cleopatra|Mozart|Ada Lovelace|Gandhi|Shakespeare|Isaac Newton|Frida Kahlo|Julius Caesar|Nelson Mandela|Alan Turing|Jane Austen|Galileo|Pele|Beethoven|Rosa Parks|Charles Darwin|Leonardo da Vinci")
E["noun"] = items("""cat|dog|river|photosynthesis|inflation|gravity|mortgage|algorithm|volcano|violin|vitamin C|glacier|democracy|noun|verb|isotope|recursion|quorum|sourdough|tax|enzyme|tide|eclipse|atom|whale|sonnet|database|firewall|compiler|pointer
regex|invoice|deposit|visa|passport|allergy|migraine|muscle|kidney|vaccine|bicycle|engine|battery|magnet|laser|prism|triangle|fraction|prime number|logarithm|comet|planet|galaxy|fossil|dinosaur|mushroom|bee|spider|penguin|orchid|oak tree""")
E["event"] = items("the moon landing|World War II|the French Revolution|the fall of Rome|the Berlin Wall|the Black Death|the first Olympics|the Titanic|the last ice age|the Industrial Revolution|the Suez crisis|the gold rush|Easter this year|the next full moon")
E["unit"] = items("kilometres|miles|inches|centimetres|pounds|kilograms|litres|gallons|cups|grams|hours|minutes|seconds|days|weeks|acres|hectares|feet|metres|euros|dollars|degrees Celsius|degrees Fahrenheit|megabytes|gigabytes")
E["n"] = items("2|3|5|7|10|12|15|20|25|42|64|99|100|144|250|365|512|1000|1024|3.14|0.5|17|81")
E["thing"] = items("a birthday|a funeral|my cat|the rain|autumn|coffee|a lost sock|my grandmother|the sea|Monday mornings|a train ride|football|winter|a broken heart|a picnic|the moon|a robot|our team|the new office|an old tree|a wedding|breakfast|my bike")
E["dish"] = items("pancakes|risotto|a cheesecake|lentil soup|sushi|pad thai|bread|a vegan chili|lasagne|scrambled eggs|hummus|an apple pie|ramen|tacos|a stew|fried rice|goulash|brownies|tomato sauce|porridge")
E["code"] = items("Python|C|C++|Java|JavaScript|Rust|Go|SQL|bash|Excel|CSS|HTML|PHP|Ruby|Kotlin|Swift|R|Perl|Haskell|awk")
E["op"] = items("sort a list|read a file|reverse a string|parse JSON|count words|merge two tables|center a div|open a socket|make a loop|round a number|join two strings|format a date|delete a row|print a table|compare dates|hash a password|log in with ssh|undo a commit|find a file|rename a branch|list open ports")
E["say"] = items("hello|good morning|thank you|goodbye|hi|cheers|happy birthday|good night|welcome|hello world|hi there|please|congratulations|sorry|ok|yes|no|I love you|see you tomorrow|how are you")
E["adj"] = items("short|funny|sad|simple|long|nice|silly|quick|good|formal|polite|rhyming|healthy|cheap|easy")
E["hey"] = ["", "", "", "", "Hi, ", "hello, ", "Hey! ", "please ", "Can you tell me ", "quick question: ", "ok, ", "and ", "so ", "Good morning. "]
E["end"] = ["?", "?", "?", "", "", " please", "??", "!", ".", " thanks", " (just the number)", " in one sentence", " briefly", " today"]
SHORT = """{hey}what is the [capital|currency|population|language|flag|largest city|national anthem|time zone|highest mountain|area|president] of {country}{end}
{hey}[who|which author|which composer] [wrote|painted|composed|made] {work}{end}
{hey}who [was|is] {who}{end}
{hey}[when|where|why] [was|did] {who} [born|die|famous|become famous|live]{end}
{hey}[when|where|why] [was|happened|did we have] {event}{end}
{hey}what is [a|an|the] {noun}{end}
{hey}[define|explain|describe|draw|spell|pronounce] [the word|] {noun}{end}
{hey}[how does|what does] [a|the] {noun} [work|look like|cost|mean|do|weigh|eat]{end}
{hey}how many {unit} [are|are there] in {n} {unit}{end}
{hey}convert {n} {unit} to {unit}{end}
{hey}what[ is|'s] {n} [times|plus|minus|divided by|to the power of|percent of|+|*|-|/] {n}{end}
[is|are] {n} [a prime number|even|odd|divisible by {n}|more than {n}]{end}
{hey}how do you say ["{say}"|{say}|"{noun}"] in {language}{end}
{hey}translate ["{say}"|{say}|"{noun}"|this sentence] [to|into] {language}{end}
{hey}[what's|how is] the weather [in|like in] {city} [today|tomorrow|this week|in May|]{end}
{hey}what time is it in {city}{end}
{hey}[how far is it|flights|a train|distance|bus times] from {city} to {city}{end}
{hey}[write|tell me|give me|make|I need] a {adj} [poem|story|joke|haiku|limerick|song|riddle|toast|slogan|name|title|caption] [about|for] {thing}{end}
{hey}[recipe for|how do I make|how long do I cook|what goes into|wine for|leftover ideas for] {dish}{end}
{hey}how [do I|to|can I] {op} in {code}{end}
{code} {op}{end}
[fix|explain|shorten|document|test|review|refactor] this {code} [code|snippet|function|query|script]{end}
[Say|Write|Answer|Reply] ["{say}"|{say}|with the word {say}]{end}
{say}
{say}!
{say}, [how are you|what's up|nice to meet you|who are you|can you help me|are you there|I have a question|what can you do|tell me a joke|good to see you]{end}
[thanks|thank you|great|perfect|ok|okay|cool|got it|nice|wow|hmm|I see|sure|exactly|never mind|no problem], [that helps|that works|bye|see you|you're the best|I understand|makes sense|one more|next one|go on|continue|and now in {language}|shorter please|again|more]{end}
[more|again|continue|go on|next|stop|help|test|testing|ping|why|how|what|really|yes|no|maybe|ok|shorter|longer|simpler|and then|done|undo|repeat|pardon|what else|anything else|for example|like what|summary|table please|in {language}]{end}
[tell me|give me|list|name] [{n}|three|five|some|a few] [facts about|synonyms for|words that rhyme with|examples of|uses of|types of|books about|names for] [a|an|the|] {noun}{end}
[synonym|antonym|plural|opposite|meaning|definition|pronunciation|spelling|etymology|translation] of {noun}{end}
[is|are] [a|the|] {noun} [a|an|the] {noun}{end}
{noun} vs {noun}{end}
{noun}
[best|cheapest|nearest|oldest|famous] [museum|hotel|restaurant|park|church|market|library|beach|café] in {city}{end}
[plan|book|find] [a|me a] [day|weekend|trip|hotel|table|tour] in {city}{end}
[remind me|set a timer|set an alarm|wake me|add] [to buy milk|for {n} minutes|at seven|to call {who}|eggs to my list]{end}
I [am|feel] [tired|hungry|bored|sad|happy|lost|late|sick|cold|curious]{end}
[count|sing|think|draw|guess|play] [to {n}|a song|about it|a number|a {noun}|a game|backwards|in {language}]{end}
[do|can|will] [you|dogs|cats|bees|penguins|plants|I|we] [sleep|swim|fly|dream|eat {dish}|speak {language}|see colours|need a visa for {country}|like {thing}]{end}
word {n}
[test|item|word|row|line|page|message|question|chapter] [{n}|one|two|A|B]{end}
[ls -la|git status|df -h|SELECT * FROM {noun}s;|cat notes.txt|python3 main.py|npm install|make test|ping 10.0.0.1|curl localhost:8080/health|cd ..|echo {say}]""".split("\n")

# Per language: places and topics, then prompts around them.
_M = {
    "fr": ("la France|l'Italie|le Japon|la musique|le café|la lune|Paris|mon chat", "Quelle est la capitale de {x} ?|C'est quoi, {x} ?|Bonjour|Merci beaucoup !|Écris un poème sur {x}|Parle-moi de {x}|Quel temps fait-il à Lyon ?|Combien font {n} fois {n} ?|Raconte-moi une blague|Traduis « bonjour » en anglais|Ça va ?|Plus court s'il te plaît|Qui a écrit Les Misérables ?|Une recette simple pour ce soir ?"),
    "es": ("Francia|Italia|Japón|la música|el café|la luna|Madrid|mi gato", "¿Cuál es la capital de {x}?|¿Qué es {x}?|Hola|¡Muchas gracias!|Escribe un poema sobre {x}|Háblame de {x}|¿Qué tiempo hace en Sevilla?|¿Cuánto es {n} por {n}?|Cuéntame un chiste|Traduce \"hola\" al inglés|¿Cómo estás?|Más corto, por favor|¿Quién escribió Don Quijote?|¿Una receta fácil para hoy?"),
    "pt": ("França|Itália|Japão|música|café|a lua|Lisboa|o meu gato", "Qual é a capital de {x}?|O que é {x}?|Olá|Muito obrigado!|Escreve um poema sobre {x}|Fala-me de {x}|Como está o tempo no Porto?|Quanto é {n} vezes {n}?|Conta-me uma piada|Traduz \"olá\" para inglês|Tudo bem?|Mais curto, por favor|Quem escreveu Os Lusíadas?|Uma receita fácil para hoje?"),
    "it": ("Francia|Spagna|Giappone|la musica|il caffè|la luna|Roma|il mio gatto", "Qual è la capitale di {x}?|Che cos'è {x}?|Ciao|Grazie mille!|Scrivi una poesia su {x}|Parlami di {x}|Che tempo fa a Milano?|Quanto fa {n} per {n}?|Raccontami una barzelletta|Traduci \"ciao\" in inglese|Come stai?|Più breve, per favore|Chi ha scritto la Divina Commedia?|Una ricetta facile per stasera?"),
    "nl": ("Frankrijk|Italië|Japan|muziek|koffie|de maan|Amsterdam|mijn kat", "Wat is de hoofdstad van {x}?|Wat is {x}?|Hallo|Hartelijk dank!|Schrijf een gedicht over {x}|Vertel iets over {x}|Hoe is het weer in Utrecht?|Hoeveel is {n} keer {n}?|Vertel een mop|Vertaal \"hallo\" naar het Engels|Hoe gaat het?|Korter graag|Wie schilderde de Nachtwacht?|Een makkelijk recept voor vanavond?"),
    "sv": ("Frankrike|Italien|Japan|musik|kaffe|månen|Stockholm|min katt", "Vad är huvudstaden i {x}?|Vad är {x}?|Hej|Tack så mycket!|Skriv en dikt om {x}|Berätta om {x}|Hur är vädret i Malmö?|Hur mycket är {n} gånger {n}?|Berätta ett skämt|Översätt \"hej\" till engelska|Hur mår du?|Kortare, tack|Vem skrev Pippi Långstrump?|Ett enkelt recept till ikväll?"),
    "da": ("Frankrig|Italien|Japan|musik|kaffe|månen|København|min kat", "Hvad er hovedstaden i {x}?|Hvad er {x}?|Hej|Mange tak!|Skriv et digt om {x}|Fortæl om {x}|Hvordan er vejret i Aarhus?|Hvad er {n} gange {n}?|Fortæl en vittighed|Oversæt \"hej\" til engelsk|Hvordan går det?|Kortere, tak|Hvem skrev Den lille havfrue?|En nem opskrift til i aften?"),
    "nb": ("Frankrike|Italia|Japan|musikk|kaffe|månen|Oslo|katten min", "Hva er hovedstaden i {x}?|Hva er {x}?|Hei|Tusen takk!|Skriv et dikt om {x}|Fortell om {x}|Hvordan er været i Bergen?|Hva er {n} ganger {n}?|Fortell en vits|Oversett \"hei\" til engelsk|Hvordan går det?|Kortere, takk|Hvem skrev Peer Gynt?|En enkel oppskrift til i kveld?"),
    "fi": ("Ranska|Italia|Japani|musiikki|kahvi|kuu|Helsinki|kissani", "Mikä on maan {x} pääkaupunki?|Mikä on {x}?|Hei|Kiitos paljon!|Kirjoita runo aiheesta {x}|Kerro aiheesta {x}|Millainen sää on Turussa?|Paljonko on {n} kertaa {n}?|Kerro vitsi|Käännä \"hei\" englanniksi|Mitä kuuluu?|Lyhyemmin, kiitos|Kuka kirjoitti Kalevalan?|Helppo resepti tälle illalle?"),
    "pl": ("Francja|Włochy|Japonia|muzyka|kawa|księżyc|Warszawa|mój kot", "Jaka jest stolica: {x}?|Co to jest {x}?|Cześć|Dziękuję bardzo!|Napisz wiersz: {x}|Opowiedz o temacie: {x}|Jaka jest pogoda w Krakowie?|Ile to jest {n} razy {n}?|Opowiedz dowcip|Przetłumacz \"cześć\" na angielski|Jak się masz?|Krócej, proszę|Kto napisał Pana Tadeusza?|Łatwy przepis na dziś?"),
    "cs": ("Francie|Itálie|Japonsko|hudba|káva|měsíc|Praha|moje kočka", "Jaké je hlavní město: {x}?|Co je {x}?|Ahoj|Děkuji mockrát!|Napiš báseň: {x}|Řekni mi něco: {x}|Jaké je počasí v Brně?|Kolik je {n} krát {n}?|Řekni vtip|Přelož \"ahoj\" do angličtiny|Jak se máš?|Kratší, prosím|Kdo napsal Švejka?|Jednoduchý recept na dnešek?"),
    "sk": ("Francúzsko|Taliansko|Japonsko|hudba|káva|mesiac|Bratislava|moja mačka", "Aké je hlavné mesto: {x}?|Čo je {x}?|Ahoj|Ďakujem pekne!|Napíš báseň: {x}|Povedz mi niečo: {x}|Aké je počasie v Košiciach?|Koľko je {n} krát {n}?|Povedz vtip|Prelož \"ahoj\" do angličtiny|Ako sa máš?|Kratšie, prosím|Jednoduchý recept na dnes?"),
    "hu": ("Franciaország|Olaszország|Japán|a zene|a kávé|a hold|Budapest|a macskám", "Mi a fővárosa: {x}?|Mi az a {x}?|Szia|Köszönöm szépen!|Írj egy verset: {x}|Mesélj róla: {x}|Milyen idő van Szegeden?|Mennyi {n} szorozva {n}?|Mondj egy viccet|Fordítsd angolra: \"szia\"|Hogy vagy?|Rövidebben, kérlek|Ki írta a János vitézt?|Egy egyszerű recept ma estére?"),
    "ro": ("Franța|Italia|Japonia|muzica|cafeaua|luna|București|pisica mea", "Care este capitala: {x}?|Ce este {x}?|Bună|Mulțumesc mult!|Scrie o poezie despre {x}|Povestește-mi despre {x}|Cum e vremea la Cluj?|Cât fac {n} ori {n}?|Spune o glumă|Tradu \"bună\" în engleză|Ce mai faci?|Mai scurt, te rog|Cine a scris Luceafărul?|O rețetă ușoară pentru azi?"),
    "bg": ("Франция|Италия|Япония|музиката|кафето|луната|София|моята котка", "Коя е столицата на {x}?|Какво е {x}?|Здравей|Много благодаря!|Напиши стихотворение за {x}|Разкажи ми за {x}|Какво е времето във Варна?|Колко е {n} по {n}?|Кажи виц|Преведи \"здравей\" на английски|Как си?|По-кратко, моля|Лесна рецепта за днес?"),
    "hr": ("Francuska|Italija|Japan|glazba|kava|mjesec|Zagreb|moja mačka", "Koji je glavni grad: {x}?|Što je {x}?|Bok|Puno hvala!|Napiši pjesmu: {x}|Reci mi nešto: {x}|Kakvo je vrijeme u Splitu?|Koliko je {n} puta {n}?|Ispričaj vic|Prevedi \"bok\" na engleski|Kako si?|Kraće, molim|Jednostavan recept za danas?"),
    "sr": ("Француска|Италија|Јапан|музика|кафа|месец|Београд|моја мачка", "Који је главни град: {x}?|Шта је {x}?|Здраво|Хвала пуно!|Напиши песму: {x}|Реци ми нешто: {x}|Какво је време у Нишу?|Колико је {n} пута {n}?|Испричај виц|Преведи \"здраво\" на енглески|Како си?|Краће, молим|Једноставан рецепт за данас?"),
    "sl": ("Francija|Italija|Japonska|glasba|kava|luna|Ljubljana|moja mačka", "Katero je glavno mesto: {x}?|Kaj je {x}?|Živjo|Najlepša hvala!|Napiši pesem: {x}|Povej mi kaj: {x}|Kakšno je vreme v Mariboru?|Koliko je {n} krat {n}?|Povej šalo|Prevedi \"živjo\" v angleščino|Kako si?|Krajše, prosim|Preprost recept za danes?"),
    "el": ("η Γαλλία|η Ιταλία|η Ιαπωνία|η μουσική|ο καφές|το φεγγάρι|η Αθήνα|η γάτα μου", "Ποια είναι η πρωτεύουσα: {x};|Τι είναι {x};|Γεια σου|Ευχαριστώ πολύ!|Γράψε ένα ποίημα: {x}|Πες μου για το θέμα: {x}|Τι καιρό κάνει στην Πάτρα;|Πόσο κάνει {n} επί {n};|Πες ένα ανέκδοτο|Μετάφρασε \"γεια\" στα αγγλικά|Τι κάνεις;|Πιο σύντομα, παρακαλώ|Μια εύκολη συνταγή για σήμερα;"),
    "tr": ("Fransa|İtalya|Japonya|müzik|kahve|ay|İstanbul|kedim", "{x} başkenti neresi?|{x} nedir?|Merhaba|Çok teşekkürler!|{x} hakkında bir şiir yaz|Bana {x} hakkında bilgi ver|İzmir'de hava nasıl?|{n} kere {n} kaç eder?|Bir fıkra anlat|\"Merhaba\" kelimesini İngilizceye çevir|Nasılsın?|Daha kısa, lütfen|Bu akşam için kolay bir tarif?"),
    "ru": ("Франция|Италия|Япония|музыка|кофе|луна|Москва|мой кот", "Назови столицу: {x}|Что такое {x}?|Привет|Большое спасибо!|Напиши стихотворение: {x}|Расскажи на тему: {x}|Какая погода в Казани?|Сколько будет {n} умножить на {n}?|Расскажи анекдот|Переведи «привет» на английский|Как дела?|Короче, пожалуйста|Кто написал «Войну и мир»?|Простой рецепт на сегодня?"),
    "uk": ("Франція|Італія|Японія|музика|кава|місяць|Київ|мій кіт", "Яка столиця: {x}?|Що таке {x}?|Привіт|Дуже дякую!|Напиши вірш: {x}|Розкажи на тему: {x}|Яка погода у Львові?|Скільки буде {n} помножити на {n}?|Розкажи жарт|Переклади «привіт» англійською|Як справи?|Коротше, будь ласка|Хто написав «Кобзар»?|Простий рецепт на сьогодні?"),
    "ar": ("فرنسا|إيطاليا|اليابان|الموسيقى|القهوة|القمر|القاهرة|قطتي", "ما هي عاصمة {x}؟|ما هو {x}؟|مرحبا|شكرا جزيلا!|اكتب قصيدة عن {x}|حدثني عن {x}|كيف الطقس في بيروت؟|كم يساوي {n} ضرب {n}؟|احك لي نكتة|ترجم \"مرحبا\" إلى الإنجليزية|كيف حالك؟|أقصر من فضلك|وصفة سهلة لليوم؟"),
    "he": ("צרפת|איטליה|יפן|מוזיקה|קפה|הירח|ירושלים|החתול שלי", "מהי בירת {x}?|מה זה {x}?|שלום|תודה רבה!|כתוב שיר על {x}|ספר לי על {x}|מה מזג האוויר בחיפה?|כמה זה {n} כפול {n}?|ספר לי בדיחה|תרגם \"שלום\" לאנגלית|מה שלומך?|קצר יותר בבקשה|מתכון קל להיום?"),
    "fa": ("فرانسه|ایتالیا|ژاپن|موسیقی|قهوه|ماه|تهران|گربه من", "پایتخت {x} کجاست؟|{x} چیست؟|سلام|خیلی ممنون!|یک شعر درباره {x} بنویس|درباره {x} بگو|هوا در شیراز چطور است؟|{n} ضربدر {n} چند می‌شود؟|یک جوک بگو|«سلام» را به انگلیسی ترجمه کن|حالت چطور است؟|کوتاه‌تر لطفا|یک غذای ساده برای امشب؟"),
    "hi": ("फ्रांस|इटली|जापान|संगीत|कॉफ़ी|चाँद|दिल्ली|मेरी बिल्ली", "{x} की राजधानी क्या है?|{x} क्या है?|नमस्ते|बहुत धन्यवाद!|{x} पर एक कविता लिखो|मुझे {x} के बारे में बताओ|मुंबई में मौसम कैसा है?|{n} गुणा {n} कितना होता है?|एक चुटकुला सुनाओ|\"नमस्ते\" का अंग्रेज़ी में अनुवाद करो|आप कैसे हैं?|छोटा लिखो|आज के लिए आसान रेसिपी?"),
    "bn": ("ফ্রান্স|ইতালি|জাপান|সঙ্গীত|কফি|চাঁদ|ঢাকা|আমার বিড়াল", "{x} এর রাজধানী কী?|{x} কী?|নমস্কার|অনেক ধন্যবাদ!|{x} নিয়ে একটি কবিতা লেখো|{x} সম্পর্কে বলো|আজ আবহাওয়া কেমন?|{n} গুণ {n} কত?|একটি কৌতুক বলো|\"ধন্যবাদ\" ইংরেজিতে কী?|কেমন আছো?|আরও ছোট করে|আজকের জন্য সহজ রেসিপি?"),
    "ur": ("فرانس|اٹلی|جاپان|موسیقی|کافی|چاند|لاہور|میری بلی", "{x} کا دارالحکومت کیا ہے؟|{x} کیا ہے؟|السلام علیکم|بہت شکریہ!|{x} پر ایک نظم لکھو|مجھے {x} کے بارے میں بتاؤ|کراچی میں موسم کیسا ہے؟|{n} ضرب {n} کتنا ہوتا ہے؟|ایک لطیفہ سناؤ|\"شکریہ\" کا انگریزی میں ترجمہ کرو|آپ کیسے ہیں؟|مختصر لکھو|آج کے لیے آسان ترکیب؟"),
    "id": ("Prancis|Italia|Jepang|musik|kopi|bulan|Jakarta|kucing saya", "Apa ibu kota {x}?|Apa itu {x}?|Halo|Terima kasih banyak!|Tulis puisi tentang {x}|Ceritakan tentang {x}|Bagaimana cuaca di Bandung?|Berapa {n} kali {n}?|Ceritakan lelucon|Terjemahkan \"halo\" ke bahasa Inggris|Apa kabar?|Lebih singkat, tolong|Resep mudah untuk malam ini?"),
    "ms": ("Perancis|Itali|Jepun|muzik|kopi|bulan|Kuala Lumpur|kucing saya", "Apakah ibu negara {x}?|Apakah {x}?|Helo|Terima kasih banyak!|Tulis sajak tentang {x}|Ceritakan tentang {x}|Bagaimana cuaca di Ipoh?|Berapakah {n} darab {n}?|Ceritakan satu lawak|Terjemahkan \"helo\" ke bahasa Inggeris|Apa khabar?|Lebih pendek, tolong|Resipi mudah untuk malam ini?"),
    "vi": ("Pháp|Ý|Nhật Bản|âm nhạc|cà phê|mặt trăng|Hà Nội|con mèo của tôi", "Thủ đô của {x} là gì?|{x} là gì?|Xin chào|Cảm ơn nhiều!|Viết một bài thơ về {x}|Kể cho tôi nghe về {x}|Thời tiết ở Huế thế nào?|{n} nhân {n} bằng bao nhiêu?|Kể một câu chuyện cười|Dịch \"xin chào\" sang tiếng Anh|Bạn khỏe không?|Ngắn hơn nhé|Một món dễ nấu tối nay?"),
    "th": ("ฝรั่งเศส|อิตาลี|ญี่ปุ่น|ดนตรี|กาแฟ|ดวงจันทร์|กรุงเทพ|แมวของฉัน", "เมืองหลวงของ{x}คืออะไร|{x}คืออะไร|สวัสดี|ขอบคุณมาก|เขียนกลอนเกี่ยวกับ{x}|เล่าเรื่อง{x}ให้ฟังหน่อย|วันนี้อากาศเป็นอย่างไร|{n} คูณ {n} เท่ากับเท่าไร|เล่าเรื่องตลกหน่อย|แปลคำว่า \"สวัสดี\" เป็นภาษาอังกฤษ|สบายดีไหม|สั้นกว่านี้หน่อย|สูตรอาหารง่ายๆ วันนี้"),
    "ja": ("フランス|イタリア|日本|音楽|コーヒー|月|東京|うちの猫", "{x}の首都はどこですか。|{x}とは何ですか。|こんにちは|ありがとうございます。|{x}について詩を書いてください。|{x}について教えて。|大阪の天気はどうですか。|{n}かける{n}はいくつ。|冗談を言って。|「こんにちは」を英語に訳して。|お元気ですか。|もっと短く。|今夜の簡単なレシピは。"),
    "ko": ("프랑스|이탈리아|일본|음악|커피|달|서울|우리 고양이", "{x}의 수도는 어디야?|{x}이 뭐야?|안녕하세요|정말 감사합니다!|{x}에 대한 시를 써 줘|{x}에 대해 알려 줘|부산 날씨 어때?|{n} 곱하기 {n}은 얼마야?|농담 하나 해 줘|\"안녕\"을 영어로 번역해 줘|잘 지내?|더 짧게 해 줘|오늘 저녁 쉬운 요리법은?"),
    "zh": ("法国|意大利|日本|音乐|咖啡|月亮|北京|我的猫", "{x}的首都是哪里?|{x}是什么?|你好|非常感谢!|写一首关于{x}的诗|给我讲讲{x}|上海今天天气怎么样?|{n}乘以{n}等于多少?|讲个笑话|把\"你好\"翻译成英文|你好吗?|请短一点|今晚有什么简单的菜谱?"),
    "sw": ("Ufaransa|Italia|Japani|muziki|kahawa|mwezi|Nairobi|paka wangu", "Mji mkuu wa {x} ni upi?|{x} ni nini?|Habari|Asante sana!|Andika shairi kuhusu {x}|Niambie kuhusu {x}|Hali ya hewa Mombasa ikoje?|{n} mara {n} ni ngapi?|Nipe kichekesho|Tafsiri \"habari\" kwa Kiingereza|Hujambo?|Fupi zaidi tafadhali|Chakula rahisi cha leo?"),
    "tl": ("Pransya|Italya|Hapon|musika|kape|buwan|Maynila|pusa ko", "Ano ang kabisera ng {x}?|Ano ang {x}?|Kumusta|Maraming salamat!|Sumulat ng tula tungkol sa {x}|Ikuwento mo ang {x}|Ano ang panahon sa Cebu?|Ilan ang {n} beses {n}?|Magkuwento ng biro|Isalin ang \"kumusta\" sa Ingles|Kumusta ka?|Mas maikli, pakiusap|Madaling luto para mamaya?"),
    "ca": ("França|Itàlia|el Japó|la música|el cafè|la lluna|Barcelona|el meu gat", "Quina és la capital de {x}?|Què és {x}?|Hola|Moltes gràcies!|Escriu un poema sobre {x}|Parla'm de {x}|Quin temps fa a Girona?|Quant fan {n} per {n}?|Explica'm un acudit|Tradueix \"hola\" a l'anglès|Com estàs?|Més curt, sisplau|Una recepta fàcil per avui?"),
    "et": ("Prantsusmaa|Itaalia|Jaapan|muusika|kohv|kuu|Tallinn|minu kass", "Mis on pealinn: {x}?|Mis on {x}?|Tere|Suur aitäh!|Kirjuta luuletus: {x}|Räägi mulle: {x}|Milline ilm on Tartus?|Kui palju on {n} korda {n}?|Räägi nali|Tõlgi \"tere\" inglise keelde|Kuidas läheb?|Lühemalt, palun|Lihtne retsept tänaseks?"),
    "lt": ("Prancūzija|Italija|Japonija|muzika|kava|mėnulis|Vilnius|mano katė", "Kokia sostinė: {x}?|Kas yra {x}?|Labas|Labai ačiū!|Parašyk eilėraštį: {x}|Papasakok: {x}|Koks oras Kaune?|Kiek bus {n} kart {n}?|Papasakok anekdotą|Išversk \"labas\" į anglų kalbą|Kaip sekasi?|Trumpiau, prašau|Lengvas receptas šiandien?"),
    "lv": ("Francija|Itālija|Japāna|mūzika|kafija|mēness|Rīga|mans kaķis", "Kāda ir galvaspilsēta: {x}?|Kas ir {x}?|Sveiki|Liels paldies!|Uzraksti dzejoli: {x}|Pastāsti: {x}|Kāds laiks ir Liepājā?|Cik ir {n} reiz {n}?|Pastāsti joku|Iztulko \"sveiki\" angliski|Kā iet?|Īsāk, lūdzu|Vienkārša recepte šodienai?"),
    "ta": ("பிரான்ஸ்|இத்தாலி|ஜப்பான்|இசை|காபி|நிலா|சென்னை|என் பூனை", "{x} நாட்டின் தலைநகரம் எது?|{x} என்றால் என்ன?|வணக்கம்|மிக்க நன்றி!|{x} பற்றி ஒரு கவிதை எழுது|{x} பற்றி சொல்|மதுரையில் வானிலை எப்படி?|{n} பெருக்கல் {n} எவ்வளவு?|ஒரு நகைச்சுவை சொல்|\"நன்றி\" ஆங்கிலத்தில் என்ன?|எப்படி இருக்கிறாய்?|சுருக்கமாக|இன்று எளிய சமையல்?"),
    "de": ("Frankreich|Italien|Japan|Musik|Kaffee|der Mond|Berlin|meine Katze|Inflation|Photosynthese|ein Vulkan|Recht", "Was ist die Hauptstadt von {x}?|Was ist {x}?|Hallo|Vielen Dank!|Schreib ein Gedicht über {x}|Erzähl mir etwas über {x}|Wie wird das Wetter in Hamburg?|Wie viel ist {n} mal {n}?|Erzähl einen Witz|Übersetze \"Hallo\" ins Englische|Wie geht's?|Kürzer bitte|Wer schrieb den Faust?|Ein einfaches Rezept für heute?|Wo liegt {x}?|Und {x}?|Guten Morgen|Danke, das hilft|Wann ist Ostern?|Wer bist du?|Was kannst du?|Sag Hallo|Antworte mit Ja oder Nein: ist {x} teuer?"),
}
LANGUAGES = sorted(_M)


def english(rnd):
    text = expand(rnd, rnd.choice(SHORT), E)
    shape = rnd.randrange(4)
    return text if shape == 0 else text[:1].upper() + text[1:]


def other(rnd, lang):
    nouns, prompts = (part.split("|") for part in _M[lang])
    text = " ".join(rnd.choice(prompts) for _ in range(rnd.choice([1, 1, 1, 2])))
    while "{x}" in text:
        text = text.replace("{x}", rnd.choice(nouns), 1)
    return expand(rnd, text, {"n": E["n"]})
