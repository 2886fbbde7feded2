/* Types of personal data: name, region, what, the best proof, level, and the words that say what a
 * number is (lower case, '|' between them; a blank also stands for '_', '-' and for the capital in
 * the middle of "taxId"). Names as Presidio's where it has the type. */
#ifndef DETECT_PII_TYPES_H
#define DETECT_PII_TYPES_H

/* clang-format off */
#define PII_TYPES(X) \
    X(EMAIL_ADDRESS, "", "e-mail address", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "e-mail|email|mail|contact") \
    X(PHONE_NUMBER, "", "telephone number", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "phone|telephone|tel|mobile|cell|cellphone|call|fax|whatsapp|sms|hotline|" \
      "contact number|telefon|telefonnummer|handy|handynummer|mobil|rufnummer|anrufen|" \
      "téléphone|appeler|teléfono|telefono|móvil|celular|llamar|cellulare|" \
      "chiamare|telefone|telemóvel|ligar|telefoon|mobiel|telefonu|komórka|" \
      "telefonszám|puhelin|telefonnr|tlf|erreichen|erreichbar|durchwahl|" \
      "手机|电话|電話|携帯|전화|휴대폰|телефон|Телефон|тел|Тел|τηλέφωνο|טלפון") \
    X(IP_ADDRESS, "", "IP address", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "ip|ipv4|ipv6|ip address|ip-adresse|client ip|remote addr|source ip|adresse ip|" \
      "dirección ip|indirizzo ip|endereço ip") \
    X(MAC_ADDRESS, "", "hardware address of a network interface", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "mac|mac address|hwaddr|ethernet|bssid|wlan|bluetooth") \
    X(DATE_OF_BIRTH, "", "date of birth", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "date of birth|birth date|birthdate|birthday|dob|born|born on|geboren|" \
      "geburtsdatum|geb|geburtstag|né le|née le|né en|née en|date de naissance|naissance|" \
      "fecha de nacimiento|nacimiento|nacido|nacida|nací|nació|nasci|nasceu|nato il|nata il|data di nascita|" \
      "data de nascimento|nascimento|nascido|nascida|geboortedatum|geboren op|" \
      "data urodzenia|urodzony|urodzona|ur|född|fødselsdato|født|syntymäaika|" \
      "datum narození") \
    X(CRYPTO, "", "address of Bitcoin or Ethereum", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "bitcoin|btc|wallet|ethereum|eth|ether|erc20|crypto|address|recipient") \
    X(CREDIT_CARD, "", "payment card number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "card|visa|mastercard|amex|credit card|pan") \
    X(IBAN_CODE, "", "bank account number (IBAN)", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "iban|account|konto|compte|cuenta|conto|conta|rekening") \
    X(SWIFT_CODE, "", "bank identifier (BIC)", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "bic|swift|swift code|bic code|swift-code|bic-code") \
    X(STREET_ADDRESS, "", "postal address with street and number", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "address|lives at|live at|resides|residing|ship to|shipping|billing|deliver|" \
      "delivery|home|adresse|anschrift|wohnhaft|wohnt|domicile|domicilio|dirección|" \
      "indirizzo|morada|endereço|adres") \
    X(GEO_COORDINATES, "", "geographic position", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "gps|lat|latitude|lng|lon|longitude|coordinates|coords|location|position|" \
      "koordinaten|coordonnées|coordenadas|coordinate") \
    X(IMEI, "", "number of a mobile device", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "imei|imeisv|device id|handset|serial of the phone") \
    X(VIN, "", "vehicle identification number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "vin|chassis|vehicle|fahrgestellnummer|fin") \
    X(MEDICAL_RECORD_NUMBER, "", "number of a patient or medical record", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_RESTRICTED, \
      "mrn|medical record|medical record number|patient id|patient number|patient no|" \
      "chart number|hospital number|patientennummer|patienten-id|fallnummer|" \
      "numéro de patient|historia clínica|número de paciente|cartella clinica") \
    X(MEDICAL_LICENSE, "US", "registration of a prescriber (DEA)", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "dea|dea number|dea registration|prescriber|medical license|medical licence") \
    X(US_SSN, "US", "social security number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "ssn|ssns|social security|social security number|soc sec|social") \
    X(US_ITIN, "US", "individual taxpayer number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "itin|individual taxpayer|taxpayer|taxpayer id|tax id") \
    X(US_EIN, "US", "employer identification number", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "ein|fein|employer identification|employer id|federal tax id") \
    X(US_PASSPORT, "US", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "passport|passport number|passport no|us passport|travel document") \
    X(US_DRIVER_LICENSE, "US", "driving licence number", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "driver license|drivers license|driver's license|driver licence|driving license|" \
      "driver lic|dl|dl number|license number") \
    X(US_BANK_NUMBER, "US", "bank account number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "account number|account no|bank account|acct|acct number|checking account|" \
      "savings account|checking|savings|direct deposit") \
    X(ABA_ROUTING_NUMBER, "US", "routing number of a bank", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "routing|routing number|aba|aba number|rtn|routing transit") \
    X(US_MBI, "US", "Medicare beneficiary identifier", BZ_PROOF_CONTEXT, BZ_LEVEL_RESTRICTED, \
      "mbi|medicare|medicare number|medicare id|beneficiary") \
    X(US_NPI, "US", "national provider identifier", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "npi|provider identifier|national provider|provider id|provider number") \
    X(UK_NHS, "GB", "NHS number", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED, \
      "nhs|nhs number|nhs no|national health") \
    X(UK_NINO, "GB", "national insurance number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "nino|national insurance|ni number|ni no|nat ins") \
    X(UK_PASSPORT, "GB", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "passport|british passport|uk passport|hm passport") \
    X(UK_DRIVING_LICENCE, "GB", "driving licence number", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "driving licence|driving license|driver number|dvla|licence number|licence no") \
    X(UK_POSTCODE, "GB", "postcode", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "postcode|post code|postal code|address|lives at") \
    X(UK_VEHICLE_REGISTRATION, "GB", "registration mark of a vehicle", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "registration|number plate|reg|vrm|licence plate|license plate|vehicle|car") \
    X(IE_PPS, "IE", "personal public service number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "pps|ppsn|pps number|personal public service|uimhir") \
    X(ES_NIF, "ES", "tax number of a person (DNI)", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "nif|dni|documento nacional|documento|identidad|identificación fiscal|d.n.i|" \
      "n.i.f|id number|national id") \
    X(ES_NIE, "ES", "number of a foreigner", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "nie|n.i.e|extranjero|extranjeros|foreigner id") \
    X(ES_PASSPORT, "ES", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "pasaporte|spanish passport|passport|número de pasaporte") \
    X(PT_NIF, "PT", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "nif|contribuinte|número fiscal|identificação fiscal|nipc|" \
      "número de contribuinte") \
    X(IT_FISCAL_CODE, "IT", "fiscal code of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "codice fiscale|cf|cod fiscale|fiscal code") \
    X(IT_VAT_CODE, "IT", "VAT number", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "partita iva|p.iva|p iva|piva|vat|iva") \
    X(IT_IDENTITY_CARD, "IT", "identity card number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "carta d'identità|carta d'identita|carta identità|carta di identità|cie|" \
      "documento|identity card") \
    X(IT_DRIVER_LICENSE, "IT", "driving licence number", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "patente|patente di guida|driving licence|driver license") \
    X(IT_PASSPORT, "IT", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "passaporto|italian passport|numero di passaporto|passport") \
    X(FR_NIR, "FR", "social security number", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED, \
      "nir|sécurité sociale|sécu|numéro de sécu|insee|carte vitale") \
    X(FR_SIREN, "FR", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "siren|numéro siren|rcs") \
    X(FR_SIRET, "FR", "number of an establishment", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "siret|numéro siret") \
    X(DE_TAX_ID, "DE", "tax identification number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "steuer-id|steuer id|steuerid|steueridentifikationsnummer|" \
      "steuerliche identifikationsnummer|identifikationsnummer|idnr|id-nr|idnr.|tax id|" \
      "tax identification|tin|steuernummer") \
    X(DE_TAX_NUMBER, "DE", "tax number of a tax office", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "steuernummer|steuernr|st.-nr|st-nr|stnr|tax number") \
    X(DE_SOCIAL_SECURITY, "DE", "number of the pension insurance", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rentenversicherungsnummer|sozialversicherungsnummer|sv-nummer|svnr|rvnr|" \
      "versicherungsnummer|rentenversicherung|sozialversicherung|social security") \
    X(DE_HEALTH_INSURANCE, "DE", "number of a health insurance card", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED, \
      "krankenversichertennummer|kvnr|versichertennummer|krankenkasse|" \
      "krankenversicherung|gesundheitskarte|egk|health insurance") \
    X(DE_ID_CARD, "DE", "identity card number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "personalausweis|personalausweisnummer|ausweisnummer|ausweis|ausweis-nr|" \
      "identity card|id card") \
    X(DE_PASSPORT, "DE", "passport number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "reisepass|reisepassnummer|passnummer|pass-nr|pass nr|german passport|passport") \
    X(DE_VAT_ID, "DE", "VAT number", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "ust-idnr|ust-id|ustid|umsatzsteuer|umsatzsteuer-identifikationsnummer|vat|vat id|" \
      "mwst") \
    X(DE_FUEHRERSCHEIN, "DE", "driving licence number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "führerschein|führerscheinnummer|fuehrerschein|fahrerlaubnis|driving licence|" \
      "driver license") \
    X(DE_HANDELSREGISTER, "DE", "entry of the register of companies", \
      BZ_PROOF_FORM, BZ_LEVEL_INTERNAL, \
      "handelsregister|amtsgericht|registergericht|hrb|hra") \
    X(DE_LANR, "DE", "number of a physician", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "lanr|arztnummer|lebenslange arztnummer") \
    X(DE_BSNR, "DE", "number of a doctor's practice", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "bsnr|betriebsstättennummer|betriebsstaettennummer|betriebsstätte") \
    X(DE_KFZ, "DE", "registration mark of a vehicle", BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "kennzeichen|kfz|kfz-kennzeichen|autokennzeichen|nummernschild|license plate") \
    X(AT_SVNR, "AT", "social insurance number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "svnr|sv-nummer|sozialversicherungsnummer|sozialversicherung|versicherungsnummer|" \
      "sv-nr|e-card") \
    X(CH_AHV, "CH", "old-age insurance number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "ahv|avs|ahv-nummer|ahvn13|sozialversicherungsnummer|numéro avs|numero avs") \
    X(CH_UID, "CH", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "uid|ide|mwst|unternehmens") \
    X(NL_BSN, "NL", "citizen service number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "bsn|burgerservicenummer|sofinummer|sofi-nummer|citizen service number|" \
      "burger service nummer") \
    X(BE_NATIONAL_NUMBER, "BE", "national register number", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rijksregisternummer|rijksregister|registre national|numéro national|rrn|nn|insz|" \
      "niss|national number|national register") \
    X(PL_PESEL, "PL", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "pesel|numer pesel|nr pesel|ewidencyjny") \
    X(PL_NIP, "PL", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "nip|numer nip|nr nip|identyfikacji podatkowej|podatkowy") \
    X(PL_REGON, "PL", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "regon|nr regon|numer regon") \
    X(PL_ID_CARD, "PL", "identity card number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "dowód|dowód osobisty|dowodu osobistego|dowodu|seria i numer|numer dowodu") \
    X(CZ_RODNE_CISLO, "CZ", "birth number of Czechia and Slovakia", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rodné číslo|rodne cislo|rodného čísla|r.č|rč|birth number") \
    X(HU_TAJ, "HU", "social security number", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED, \
      "taj|taj-szám|taj szám|tajszám") \
    X(SI_EMSO, "SI", "number of a person (EMSO, JMBG)", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "emšo|emso|jmbg|matični broj|matična številka|jedinstveni matični") \
    X(HR_OIB, "HR", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "oib|osobni identifikacijski broj|osobni identifikacijski") \
    X(RO_CNP, "RO", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "cnp|cod numeric personal|numeric personal") \
    X(BG_EGN, "BG", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "egn|егн|ЕГН|единен граждански номер|" \
      "uniform civil number") \
    X(GR_AMKA, "GR", "social security number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "amka|αμκα|ΑΜΚΑ|a.m.k.a") \
    X(GR_AFM, "GR", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "afm|αφμ|ΑΦΜ|α.φ.μ|a.f.m") \
    X(IS_KENNITALA, "IS", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "kennitala|kt|kennitölu") \
    X(FI_PERSONAL_IDENTITY_CODE, "FI", "personal identity code", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "hetu|henkilötunnus|sotu|personbeteckning|personal identity code") \
    X(SE_PERSONNUMMER, "SE", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "personnummer|personnr|pnr|samordningsnummer|personal identity number") \
    X(SE_ORGANISATIONSNUMMER, "SE", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "organisationsnummer|orgnr|org.nr|org nr|org-nr|organisation number") \
    X(NO_FODSELSNUMMER, "NO", "birth number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "fødselsnummer|fodselsnummer|fnr|personnummer|d-nummer|national identity number") \
    X(DK_CPR, "DK", "number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "cpr|cpr-nummer|cpr-nr|cpr nr|cpr nummer|personnummer") \
    X(EE_ISIKUKOOD, "EE", "personal code", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "isikukood|isikukoodi|estonian personal code") \
    X(LT_ASMENS_KODAS, "LT", "personal code", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "asmens kodas|asmens kodo|a.k") \
    X(LV_PERSONAS_KODS, "LV", "personal code", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "personas kods|personas koda|p.k") \
    X(UA_RNOKPP, "UA", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "рнокпп|іпн|РНОКПП|ІПН|rnokpp|" \
      "ідентифікаційний код|" \
      "ідентифікаційний номер") \
    X(RU_SNILS, "RU", "insurance number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "снилс|СНИЛС|snils") \
    X(RU_INN, "RU", "tax number of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "инн|ИНН|inn") \
    X(TR_NATIONAL_ID, "TR", "number of a citizen", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "tc kimlik|t.c. kimlik|kimlik no|kimlik numarası|tckn|tc no|kimlik|vatandaşlık") \
    X(TR_LICENSE_PLATE, "TR", "registration mark of a vehicle", BZ_PROOF_CONTEXT, \
      BZ_LEVEL_INTERNAL, \
      "plaka|araç plakası|plaka no|license plate") \
    X(IL_ID, "IL", "identity number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "teudat zehut|תעודת זהות|ת.ז|t.z|israeli id|mispar zehut") \
    X(ZA_ID_NUMBER, "ZA", "identity number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "south african id|sa id|id number|identity number|rsa id|id no|identity no") \
    X(NG_NIN, "NG", "national identification number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "nin|national identification number|nimc|national identity number") \
    X(NG_VEHICLE_REGISTRATION, "NG", "registration mark of a vehicle", BZ_PROOF_CONTEXT, \
      BZ_LEVEL_INTERNAL, \
      "plate number|number plate|vehicle registration|registration|license plate") \
    X(BR_CPF, "BR", "number of a taxpayer", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "cpf|cadastro de pessoas físicas|cadastro de pessoa física") \
    X(BR_CNPJ, "BR", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "cnpj|cadastro nacional da pessoa jurídica") \
    X(MX_CURP, "MX", "code of a person", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "curp|clave única") \
    X(MX_RFC, "MX", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rfc|registro federal") \
    X(AR_CUIT, "AR", "tax or labour number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "cuit|cuil|c.u.i.t|c.u.i.l") \
    X(CL_RUT, "CL", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rut|run|r.u.t|rol único") \
    X(CA_SIN, "CA", "social insurance number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "sin|social insurance|social insurance number|nas|assurance sociale|" \
      "numéro d'assurance sociale") \
    X(AU_ABN, "AU", "business number", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "abn|australian business number|business number") \
    X(AU_ACN, "AU", "company number", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "acn|australian company number|company number") \
    X(AU_TFN, "AU", "tax file number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "tfn|tax file number|tax file") \
    X(AU_MEDICARE, "AU", "Medicare number", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED, \
      "medicare|medicare card|medicare number|medicare no") \
    X(NZ_IRD, "NZ", "tax number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "ird|ird number|inland revenue") \
    X(SG_NRIC_FIN, "SG", "identity number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "nric|fin|nric no|fin no|identity card|singapore id") \
    X(SG_UEN, "SG", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "uen|unique entity number|acra|business registration") \
    X(MY_NRIC, "MY", "identity card number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "mykad|nric|no. kp|no kp|kad pengenalan|ic number|ic no") \
    X(IN_AADHAAR, "IN", "Aadhaar number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "aadhaar|aadhar|adhaar|uidai|uid|आधार") \
    X(IN_PAN, "IN", "permanent account number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "pan|pan card|permanent account number|pan number|pan no|income tax") \
    X(IN_GSTIN, "IN", "tax number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "gstin|gst|gst number") \
    X(IN_VOTER, "IN", "number of a voter", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "voter|voter id|epic|election card|voter card|elector") \
    X(IN_PASSPORT, "IN", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "indian passport|passport|passport no") \
    X(IN_VEHICLE_REGISTRATION, "IN", "registration mark of a vehicle", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_INTERNAL, \
      "vehicle|registration|number plate|rto|license plate|car|reg no") \
    X(KR_RRN, "KR", "resident registration number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "rrn|주민등록번호|주민번호|주민등록|resident registration") \
    X(KR_BRN, "KR", "number of a firm", BZ_PROOF_CHECKSUM, BZ_LEVEL_INTERNAL, \
      "brn|사업자등록번호|사업자번호|사업자|business registration") \
    X(KR_PASSPORT, "KR", "passport number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "여권번호|여권|korean passport|passport") \
    X(KR_DRIVER_LICENSE, "KR", "driving licence number", \
      BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "운전면허|운전면허번호|면허번호|driver license|driver's license|" \
      "driving licence") \
    X(CN_RESIDENT_ID, "CN", "resident identity number", \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "身份证|身份证号|身份证号码|公民身份|resident id|shenfenzheng") \
    X(HK_ID, "HK", "identity card number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "hkid|hong kong id|身份證|identity card|id card") \
    X(TW_ID, "TW", "identity number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "身分證|身分證字號|身份證字號|taiwan id|national id|arc") \
    X(JP_MY_NUMBER, "JP", "individual number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "マイナンバー|個人番号|my number|mynumber|individual number") \
    X(TH_TNIN, "TH", "identity number", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      "เลขประจำตัวประชาชน|" \
      "บัตรประชาชน|thai id|thai national id|national id") \
    X(PH_TIN, "PH", "tax number", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      "tin|bir|tax identification|philippine tin")
/* clang-format on */

#define PII_ENUM(name, ...) PII_##name,
enum { PII_TYPES(PII_ENUM) };

#endif
