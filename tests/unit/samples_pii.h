/* Personal data for tests, made up from a seed: valid values of every type in the sentences where
 * people write them, and texts that look like such values but are none. Nothing belongs to anybody
 * but by chance. Kept apart from the detectors: only the check digits are asked of checksums.c, which
 * has vectors of its own. Needs detect_dep. */
#ifndef SAMPLES_PII_H
#define SAMPLES_PII_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bartizan/buf.h>
#include <bartizan/crypto.h>

#include "../../src/detect/checksums.h"
#include "../../src/detect/detector.h"
#include "../../src/detect/pii_types.h"

#define SAMPLE_UNUSED __attribute__((unused))

static inline uint64_t sample_random(uint64_t *x) { /* splitmix64 */
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline unsigned sample_below(uint64_t *x, unsigned n) {
    return (unsigned)(sample_random(x) % n);
}

/* "%y" two digits of a year, "%Y" four of 1940 to 1999, "%m" a month, "%d" a day to 28. */
static inline size_t sample_date(char what, uint64_t *x, char *out) {
    unsigned v = what == 'm'   ? 1 + sample_below(x, 12)
                 : what == 'd' ? 1 + sample_below(x, 28)
                 : what == 'y' ? 40 + sample_below(x, 60)
                               : 1940 + sample_below(x, 60);
    return (size_t)snprintf(out, 5, "%02u", v);
}

/* Fills a shape: '#' a digit, '^' 1 to 9, '@' a capital, '*' a capital or digit, '&' hexadecimal in
 * small letters, '~' a name in small letters, '%' a part of a date; '!' in front takes a byte as it
 * is. */
static inline size_t sample_fill(const char *shape, uint64_t *x, char *out) {
    static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", hex[] = "0123456789abcdef";
    size_t n = 0;
    for (; *shape != '\0'; shape++) {
        switch (*shape) {
        case '#':
            out[n++] = (char)('0' + sample_below(x, 10));
            break;
        case '^':
            out[n++] = (char)('1' + sample_below(x, 9));
            break;
        case '@':
            out[n++] = alnum[sample_below(x, 26)];
            break;
        case '*':
            out[n++] = alnum[sample_below(x, 36)];
            break;
        case '&':
            out[n++] = hex[sample_below(x, 16)];
            break;
        case '%':
            n += sample_date(*++shape, x, out + n);
            break;
        case '~':
            for (unsigned k = 4 + sample_below(x, 5); k > 0; k--)
                out[n++] = (char)('a' + sample_below(x, 26));
            break;
        case '!':
            shape++;
            out[n++] = *shape;
            break;
        default:
            out[n++] = *shape;
        }
    }
    out[n] = '\0';
    return n;
}

struct sample_kind {
    uint16_t type;
    bz_checksum_fn *check;
    bool keep;                  /* the check wants the separators too */
    bool bare;                  /* the value is found without words */
    const char *label, *shapes; /* divided by '|' */
};
#define SAMPLE(type, check) PII_##type, bz_checksum_##check
static const struct sample_kind sample_kinds[] = {
    {SAMPLE(CREDIT_CARD, card), false, true, "card number",
     "4### #### #### ####|51## #### #### ####|4###############|53##-####-####-####|"
     "37## ###### #####|6011############"},
    {SAMPLE(IBAN_CODE, iban), false, true, "IBAN",
     "DE## #### #### #### #### ##|FR## #### #### #### #### #### ###|GB## ABCD #### #### #### ##|"
     "NL##INGB##########|ES## #### #### #### #### ####|NO## #### #### ###|"
     "PL##########################"},
    {SAMPLE(IMEI, imei), false, false, "IMEI", "35#############|86-######-######-#"},
    {SAMPLE(VIN, vin), false, true, "VIN", "1HGCM82#*#A######|5YJ3E1E#*JF######|WVWZZZ1K#*P######"},
    {SAMPLE(MEDICAL_LICENSE, us_dea), false, false, "DEA number", "A@#######|B@#######"},
    {SAMPLE(US_SSN, us_ssn), false, false, "SSN", "###-##-####|### ## ####|#########"},
    {SAMPLE(US_ITIN, us_itin), false, false, "ITIN", "9##-7#-####|9##-8#-####"},
    {PII_US_EIN, NULL, false, false, "EIN", "##-#######"},
    {PII_US_PASSPORT, NULL, false, false, "US passport number", "#########|@########"},
    {PII_US_DRIVER_LICENSE, NULL, false, false, "driver's license", "@#######|@###-####-####"},
    {PII_US_BANK_NUMBER, NULL, false, false, "checking account", "##########|############"},
    {SAMPLE(ABA_ROUTING_NUMBER, us_aba), false, false, "routing number", "0########|1########"},
    {SAMPLE(US_MBI, us_mbi), false, false, "MBI", "1EG4-TE#-MK##|^@*#@*#@@##|^@*#-@*#-@@##"},
    {SAMPLE(US_NPI, us_npi), false, false, "NPI", "1#########"},
    {SAMPLE(UK_NHS, uk_nhs), false, false, "NHS number", "### ### ####|##########|###-###-####"},
    {SAMPLE(UK_NINO, uk_nino), false, false, "national insurance number",
     "AB ## ## ## C|@@######@|@@ ## ## ## @"},
    {PII_UK_PASSPORT, NULL, false, false, "British passport", "@@#######"},
    {SAMPLE(UK_DRIVING_LICENCE, uk_driver), false, false, "driving licence", "@@@@@#%m%d#@@#@@"},
    {SAMPLE(UK_POSTCODE, uk_postcode), false, false, "postcode", "@# #@@|@@# #@@|@@## #@@|@#@ #@@"},
    {PII_UK_VEHICLE_REGISTRATION, NULL, false, false, "number plate", "@@## @@@"},
    {SAMPLE(IE_PPS, ie_pps), false, false, "PPS number", "#######@|#######@A"},
    {SAMPLE(ES_NIF, es_nif), false, false, "DNI", "########@|########-@|##.###.###-@"},
    {SAMPLE(ES_NIE, es_nie), false, true, "NIE", "X#######@|%Y#######@|Z-#######-@"},
    {PII_ES_PASSPORT, NULL, false, false, "pasaporte", "@@@######"},
    {SAMPLE(PT_NIF, pt_nif), false, false, "NIF do contribuinte", "2########|### ### ###"},
    {SAMPLE(IT_FISCAL_CODE, it_cf), false, true, "codice fiscale",
     "@@@@@@##A##@###@|@@@@@@##M##@###@"},
    {SAMPLE(IT_VAT_CODE, it_vat), false, false, "partita IVA", "0##########"},
    {PII_IT_IDENTITY_CARD, NULL, false, false, "carta d'identit\xc3\xa0", "@@#####@@"},
    {PII_IT_DRIVER_LICENSE, NULL, false, false, "patente di guida", "@@#######@"},
    {PII_IT_PASSPORT, NULL, false, false, "passaporto", "@@#######"},
    {SAMPLE(FR_NIR, fr_nir), false, true,
     "num\xc3\xa9ro de s\xc3\xa9"
     "cu",
     "1 ## %m 75 ### ### ##|2##%m13########|2 ## %m 2A ### ### ##"},
    {SAMPLE(FR_SIREN, fr_siren), false, false, "SIREN", "#########|### ### ###"},
    {SAMPLE(FR_SIRET, fr_siret), false, false, "SIRET", "##############|### ### ### #####"},
    {SAMPLE(DE_TAX_ID, de_idnr), false, false, "Steuer-ID", "^##########|^# ### ### ###"},
    {PII_DE_TAX_NUMBER, NULL, false, false, "Steuernummer", "###/###/#####|##/###/#####"},
    {SAMPLE(DE_SOCIAL_SECURITY, de_rvnr), false, true, "Rentenversicherungsnummer",
     "15%d%m%y@###|65 %d%m%y @ ###"},
    {SAMPLE(DE_HEALTH_INSURANCE, de_kvnr), false, false, "Krankenversichertennummer", "@#########"},
    {SAMPLE(DE_ID_CARD, de_serial), false, false, "Personalausweisnummer", "L#######C#|T#########"},
    {SAMPLE(DE_PASSPORT, de_serial), false, false, "Reisepass", "CF########|C01X00####|C#R##T####"},
    {SAMPLE(DE_VAT_ID, de_vat), false, true, "USt-IdNr.", "DE^########|DE ### ### ###"},
    {PII_DE_FUEHRERSCHEIN, NULL, false, false, "F\xc3\xbchrerschein", "B##2RRE2I#5"},
    {PII_DE_HANDELSREGISTER, NULL, false, true, "Amtsgericht", "HRB ^####|HRA ^###"},
    {SAMPLE(DE_LANR, de_lanr), false, false, "LANR", "^########"},
    {PII_DE_BSNR, NULL, false, false, "BSNR", "^########"},
    {PII_DE_KFZ, NULL, false, false, "Kennzeichen", "B-@@ ####|HH @@ ###|KLE-@ ###"},
    {SAMPLE(AT_SVNR, at_svnr), false, false, "Sozialversicherungsnummer", "^### %d%m%y|^###%d%m%y"},
    {SAMPLE(CH_AHV, ch_ahv), false, true, "AHV-Nummer", "756.####.####.##|756##########"},
    {SAMPLE(CH_UID, ch_uid), false, true, "UID", "CHE-###.###.###|CHE#########"},
    {SAMPLE(NL_BSN, nl_bsn), false, false, "BSN", "#########|####.##.###"},
    {SAMPLE(BE_NATIONAL_NUMBER, be_nn), false, true, "rijksregisternummer",
     "%y.%m.%d-###.##|%y.%m.%d-###.##"},
    {SAMPLE(PL_PESEL, pl_pesel), false, false, "PESEL", "%y%m%d#####"},
    {SAMPLE(PL_NIP, pl_nip), false, false, "NIP", "###-###-##-##|##########"},
    {SAMPLE(PL_REGON, pl_regon), false, false, "REGON", "#########"},
    {SAMPLE(PL_ID_CARD, pl_id_card), false, false,
     "dow\xc3\xb3"
     "d osobisty",
     "A@@######|@@@ ######"},
    {SAMPLE(CZ_RODNE_CISLO, cz_rc), false, false, "rodn\xc3\xa9 \xc4\x8d\xc3\xadslo",
     "%y%m%d/####"},
    {SAMPLE(HU_TAJ, hu_taj), false, false, "TAJ", "### ### ###|#########"},
    {SAMPLE(SI_EMSO, si_emso), false, false, "EMSO", "%d%m9##50####"},
    {SAMPLE(HR_OIB, hr_oib), false, false, "OIB", "###########"},
    {SAMPLE(RO_CNP, ro_cnp), false, false, "CNP", "1%y%m%d40####|2%y%m%d12####"},
    {SAMPLE(BG_EGN, bg_egn), false, false, "EGN", "%y%m%d####"},
    {SAMPLE(GR_AMKA, gr_amka), false, false, "AMKA", "%d%m%y#####"},
    {SAMPLE(GR_AFM, gr_afm), false, false, "AFM", "0########|1########"},
    {SAMPLE(FI_PERSONAL_IDENTITY_CODE, fi_hetu), true, true, "henkil\xc3\xb6tunnus",
     "%d%m%y-###*|%d%m%yA###*"},
    {SAMPLE(SE_PERSONNUMMER, se_pnr), false, false, "personnummer",
     "%y%m%d-####|19%y%m%d-####|19%y%m%d####"},
    {SAMPLE(SE_ORGANISATIONSNUMMER, se_orgnr), false, false, "organisationsnummer", "556###-####"},
    {SAMPLE(NO_FODSELSNUMMER, no_fnr), false, false,
     "f\xc3\xb8"
     "dselsnummer",
     "%d%m%y#####|%d%m%y #####"},
    {SAMPLE(DK_CPR, dk_cpr), false, false, "CPR-nummer", "%d%m%y-####|%d%m%y####"},
    {SAMPLE(IS_KENNITALA, is_kt), false, false, "kennitala", "%d%m%y-###9"},
    {SAMPLE(EE_ISIKUKOOD, ee_ik), false, false, "isikukood", "3%y%m%d####|4%y%m%d####"},
    {SAMPLE(LT_ASMENS_KODAS, ee_ik), false, false, "asmens kodas", "3%y%m%d####|4%y%m%d####"},
    {SAMPLE(LV_PERSONAS_KODS, lv_pk), false, false, "personas kods", "%d%m%y-1####"},
    {SAMPLE(UA_RNOKPP, ua_rnokpp), false, false, "\xd0\xa0\xd0\x9d\xd0\x9e\xd0\x9a\xd0\x9f\xd0\x9f",
     "##########"},
    {SAMPLE(RU_SNILS, ru_snils), false, true, "\xd0\xa1\xd0\x9d\xd0\x98\xd0\x9b\xd0\xa1",
     "###-###-### ##"},
    {SAMPLE(RU_INN, ru_inn), false, false, "\xd0\x98\xd0\x9d\xd0\x9d", "############"},
    {SAMPLE(TR_NATIONAL_ID, tr_id), false, false, "TC kimlik no", "^##########"},
    {PII_TR_LICENSE_PLATE, NULL, false, false, "plaka", "34 @@ ###|06 @@@ ##"},
    {PII_NG_VEHICLE_REGISTRATION, NULL, false, false, "plate number", "@@@-###@@"},
    {SAMPLE(IL_ID, il_id), false, false, "teudat zehut", "#########"},
    {SAMPLE(ZA_ID_NUMBER, za_id), false, false, "South African ID",
     "%y%m%d####08#|%y%m%d #### 08#"},
    {PII_NG_NIN, NULL, false, false, "NIN", "###########"},
    {SAMPLE(BR_CPF, br_cpf), false, true, "CPF", "###.###.###-##|###.###.###-##"},
    {SAMPLE(BR_CNPJ, br_cnpj), false, true, "CNPJ", "##.###.###/0001-##|12.ABC.3##/01DE-##"},
    {SAMPLE(MX_CURP, mx_curp), false, true, "CURP", "@@@@%y%m%dHDF@@@##|@@@@%y%m%dM@@@@@A#"},
    {SAMPLE(MX_RFC, mx_rfc), false, true, "RFC", "@@@@%y%m%d***"},
    {SAMPLE(AR_CUIT, ar_cuit), false, true, "CUIT", "20-########-#|27-########-#"},
    {SAMPLE(CL_RUT, cl_rut), false, true, "RUT", "##.###.###-#|^.###.###-#|##.###.###-K"},
    {SAMPLE(CA_SIN, ca_sin), false, false, "social insurance number",
     "### ### ###|###-###-###|#########"},
    {SAMPLE(AU_ABN, au_abn), false, false, "ABN", "## ### ### ###|###########"},
    {SAMPLE(AU_ACN, au_acn), false, false, "ACN", "### ### ###"},
    {SAMPLE(AU_TFN, au_tfn), false, false, "TFN", "### ### ###|#########"},
    {SAMPLE(AU_MEDICARE, au_medicare), false, false, "Medicare card", "2### ##### 1|4#########"},
    {SAMPLE(NZ_IRD, nz_ird), false, false, "IRD number", "##-###-###|1##-###-###"},
    {SAMPLE(SG_NRIC_FIN, sg_nric), false, true, "NRIC", "S#######@|T#######@|G#######@"},
    {SAMPLE(SG_UEN, sg_uen), false, false, "UEN", "T08LL####@|20#######@|19#######@"},
    {SAMPLE(MY_NRIC, my_nric), false, false, "MyKad", "%y%m%d-14-####"},
    {SAMPLE(IN_AADHAAR, in_aadhaar), false, false, "Aadhaar", "#### #### ####|############"},
    {SAMPLE(IN_PAN, in_pan), false, false, "PAN", "@@@P@####@|@@@C@####@"},
    {SAMPLE(IN_GSTIN, in_gstin), false, true, "GSTIN", "27@@@P@####@1Z*|07@@@C@####@2Z*"},
    {PII_IN_VOTER, NULL, false, false, "voter ID", "@@@#######"},
    {PII_IN_PASSPORT, NULL, false, false, "Indian passport", "@#######"},
    {PII_IN_VEHICLE_REGISTRATION, NULL, false, false, "vehicle registration",
     "MH 12 @@ ####|DL-03-@@-####"},
    {SAMPLE(KR_RRN, kr_rrn), false, true,
     "\xec\xa3\xbc\xeb\xaf\xbc\xeb\x93\xb1\xeb\xa1\x9d\xeb\xb2\x88\xed\x98\xb8",
     "%y%m%d-1######|%y%m%d-2######"},
    {SAMPLE(KR_BRN, kr_brn), false, false,
     "\xec\x82\xac\xec\x97\x85\xec\x9e\x90\xeb\x93\xb1\xeb\xa1\x9d\xeb\xb2\x88\xed\x98\xb8",
     "^##-##-#####"},
    {PII_KR_PASSPORT, NULL, false, false, "\xec\x97\xac\xea\xb6\x8c\xeb\xb2\x88\xed\x98\xb8",
     "M########"},
    {PII_KR_DRIVER_LICENSE, NULL, false, false, "\xec\x9a\xb4\xec\xa0\x84\xeb\xa9\xb4\xed\x97\x88",
     "11-##-######-##"},
    {SAMPLE(CN_RESIDENT_ID, cn_ric), false, true,
     "\xe8\xba\xab\xe4\xbb\xbd\xe8\xaf\x81\xe5\x8f\xb7", "110105%Y%m%d####|440106%Y%m%d###X"},
    {SAMPLE(HK_ID, hk_id), false, true, "HKID", "@######(#)|@######(A)"},
    {SAMPLE(TW_ID, tw_id), false, false,
     "\xe8\xba\xab\xe5\x88\x86\xe8\xad\x89\xe5\xad\x97\xe8\x99\x9f", "@1########|@2########"},
    {SAMPLE(JP_MY_NUMBER, jp_my), false, false,
     "\xe3\x83\x9e\xe3\x82\xa4\xe3\x83\x8a\xe3\x83\xb3\xe3\x83\x90\xe3\x83\xbc",
     "############|#### #### ####"},
    {SAMPLE(TH_TNIN, th_tnin), false, true, "Thai national ID",
     "1-####-#####-##-#|3-####-#####-##-#"},
    {PII_PH_TIN, NULL, false, false, "TIN", "###-###-###-000"},
    {PII_MEDICAL_RECORD_NUMBER, NULL, false, false, "MRN", "########|#######"},
    {PII_SWIFT_CODE, NULL, false, false, "BIC", "DEUTDEFF|COBADEFF###|BNPAFRPPXXX"},
    {PII_EMAIL_ADDRESS, NULL, false, true, "e-mail", "~.~!@~.com|~##!@~.co.uk|~+~!@~-~.org"},
    {PII_PHONE_NUMBER, NULL, false, false, "phone",
     "+1 415 5## ####|+49 30 #######|(212) 5##-####|+33 6 ## ## ## ##|+44 7### ######|0#### "
     "######"},
    {PII_IP_ADDRESS, NULL, false, true, "client IP",
     "10.1##.2#.^#|192.168.1.^#|2a01:4f8:&&&&:&&&&::^&"},
    {PII_MAC_ADDRESS, NULL, false, true, "MAC address", "00:1A:&&:&&:&&:&&|3C-5A-##-##-##-##"},
    {PII_DATE_OF_BIRTH, NULL, false, false, "date of birth",
     "%Y-%m-%d|%d.%m.%Y|%d/%m/%Y|March ^, %Y|^ October %Y"},
    {PII_CRYPTO, NULL, false, true, "wallet", ""},
    {PII_STREET_ADDRESS, NULL, false, true, "address",
     "^## Maple Street, Springfield, IL 6####|^# Oak Ave, Portland, OR 9####|"
     "Hauptstra\xc3\x9f"
     "e ^#, 1#### Berlin|^# rue de la Paix, 75002 Paris"},
    {PII_GEO_COORDINATES, NULL, false, true, "coordinates",
     "52.####, 13.####|-33.#####, 151.#####"},
};

/* base58 of a version, 20 bytes, and the first four of their double SHA-256. */
static inline size_t sample_coin(uint64_t *x, char *out) {
    static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    static const char *const known[] = {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                                        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
                                        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"};
    if (sample_below(x, 4) == 0)
        return (size_t)snprintf(out, 128, "%s", known[sample_below(x, 3)]);
    uint8_t raw[25], once[BZ_HASH_LEN], twice[BZ_HASH_LEN];
    raw[0] = sample_below(x, 2) ? 5 : 0;
    for (size_t i = 1; i < 21; i++)
        raw[i] = (uint8_t)(1 + sample_below(x, 255));
    bz_sha256(bz_view(raw, 21), once);
    bz_sha256(bz_view(once, sizeof once), twice);
    memcpy(raw + 21, twice, 4);
    char back[40];
    size_t n = 0, zeros = raw[0] == 0;
    for (;;) { /* division of a big number */
        unsigned rest = 0;
        bool left = false;
        for (size_t i = 0; i < sizeof raw; i++) {
            unsigned v = rest * 256 + raw[i];
            raw[i] = (uint8_t)(v / 58);
            rest = v % 58;
            left = left || raw[i] != 0;
        }
        back[n++] = digits[rest];
        if (!left)
            break;
    }
    for (size_t i = 0; i < zeros; i++)
        back[n++] = '1';
    for (size_t i = 0; i < n; i++)
        out[i] = back[n - 1 - i];
    out[n] = '\0';
    return n;
}

/* A value of the kind that its check accepts; 0: none was found. */
static inline size_t sample_value(const struct sample_kind *k, uint64_t *x, char out[128]) {
    if (k->type == PII_CRYPTO)
        return sample_coin(x, out);
    char shape[128];
    for (unsigned tries = 0; tries < 200000; tries++) {
        unsigned shapes = 1;
        for (const char *p = k->shapes; *p != '\0'; p++)
            shapes += *p == '|';
        unsigned skip = sample_below(x, shapes);
        const char *from = k->shapes;
        for (; skip > 0; skip--)
            from = strchr(from, '|') + 1;
        size_t len = strcspn(from, "|");
        memcpy(shape, from, len);
        shape[len] = '\0';
        size_t n = sample_fill(shape, x, out), m = 0;
        uint8_t plain[128];
        for (size_t i = 0; i < n; i++) {
            bool alnum = (out[i] >= '0' && out[i] <= '9') || (out[i] >= 'A' && out[i] <= 'Z');
            if (alnum || k->keep)
                plain[m++] = (uint8_t)out[i];
        }
        if (k->check == NULL || k->check(plain, m))
            return n;
    }
    return 0;
}

static inline const struct sample_kind *sample_kind_of(size_t type) {
    for (size_t i = 0; i < sizeof sample_kinds / sizeof sample_kinds[0]; i++) {
        if (sample_kinds[i].type == type)
            return &sample_kinds[i];
    }
    return NULL;
}

/* A text with one value of the type (place in the group): its length, and where the value stands;
 * 0: no sample of the type, or no room. */
static inline size_t pii_sample_at(size_t type, uint64_t seed, char *out, size_t cap,
                                   size_t *ret_start, size_t *ret_end) {
    static const char *const frames[] = {"My %L is %V.",
                                         "%L: %V",
                                         "{\"%K\": \"%V\"}",
                                         "Hello, the %L of our client is %V, please check it.",
                                         "%L %V",
                                         "please update the %L to %V today",
                                         "Name;%L\nMuster;%L=%V;\n",
                                         "Here it is: %V"};
    const struct sample_kind *k = sample_kind_of(type);
    uint64_t x = seed * 1000 + type;
    x = sample_random(&x); /* far from the row of the next seed */
    char value[128];
    size_t n = k == NULL ? 0 : sample_value(k, &x, value), at = 0;
    if (n == 0 || cap < 512)
        return 0;
    for (const char *f = frames[sample_below(&x, k->bare ? 8 : 7)]; *f != '\0'; f++) {
        if (*f != '%') {
            out[at++] = *f;
            continue;
        }
        f++;
        if (*f == 'V') {
            *ret_start = at;
            memcpy(out + at, value, n);
            at += n;
            *ret_end = at;
            continue;
        }
        for (const char *l = k->label; *l != '\0'; l++) {
            bool key = *f == 'K';
            char c = *l;
            out[at++] = (char)(key && c == ' ' ? '_' : key && c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
    }
    out[at] = '\0';
    return at;
}

/* What detector.h asks for. */
SAMPLE_UNUSED static bool pii_sample(size_t type, unsigned seed, struct bz_buf *out) {
    char text[1024];
    size_t start = 0, end = 0, n = pii_sample_at(type, seed, text, sizeof text, &start, &end);
    if (n == 0)
        return false;
    bz_buf_put(out, bz_view(text, n));
    return true;
}

/* ---- what is none --------------------------------------------------------------------------- */

static const char *const negative_kinds[] = {
    "Order no. ########## shipped on Monday",
    "invoice INV-2026-###### is open",
    "order ################ was cancelled",
    "tracking 1Z*********#######",
    "md5 &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
    "sha1 &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
    "sha256:&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
    "request &&&&&&&&-&&&&-4&&&-a&&&-&&&&&&&&&&&& failed",
    "upgrade to v^.##.# or ^.#.##-rc.#",
    "at 17######## the worker started",
    "ts=17###########, level=info, took ###ms",
    "2026-%m-%dT1#:2#:3#.###Z INFO pool-# thread-##: hard limit ######",
    "ISBN 978-3-16-######-#",
    "ISBN 978##########",
    "EAN 40########## is out of stock",
    "barcode 4###########",
    "commit &&&&&&& fixes it",
    "revert &&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&& on main",
    "the total is EUR #,###.## and USD ##,###.##",
    "part number AB-####-@#, rev @",
    "resolution 1920x1080 at ##.## Hz, ###### frames",
    "build 2026%m%d.# passed in ###.### s",
    "segfault at 7fff&&&&&&&& ip 00007f&&&&&&&&&& error 4",
    "pointer 0x00007fff&&&&&&&&",
    "ticket JIRA-##### and #####, see OPS-###",
    "customer ######### bought ## items",
    "row ####### of ########",
    "time 1#:2#:3#.###### took ##.####### s",
    "version ^.#.##.#### is current",
    "pi is 3.14159265358979 and e is 2.718281828#####",
    "serial SN*#*##*##*#*",
    "DOI 10.1000/####.###### (2021)",
    "pixel (####, ####) color #&&&&&&",
    "table: ### ### ### ### ### ###",
    "lot ###-##-####-# expires 20##-%m",
    "counters 1#### 2#### 3#### 4####",
    "nonce QUJD*#*@*#@@*#=",
    "process ##### used ######## kB",
    "the population was ## ### ### in 20##",
    "article ##.###.## of the catalogue",
    "parcel ############ is on its way",
    "snowflake 1##################",
    "item number ########-# costs #.##",
    "offset ########## length ######",
    "account manager since 20##, room ###",
    "flight LH#### from FRA to JFK, seat ##A",
    "case no. 2:2#-cv-##### (N.D. Cal.)",
    "RFC #### section #.#.# and ISO/IEC 2700# apply",
    "batch @@######@ of line ##",
    "licence plates are not in section ##########",
};

enum { NEGATIVE_KINDS = sizeof negative_kinds / sizeof negative_kinds[0] };

/* A text in which nothing with a checksum is to be found; family seed % NEGATIVE_KINDS. */
SAMPLE_UNUSED static size_t pii_negative(uint64_t seed, char *out, size_t cap) {
    uint64_t x = seed ^ UINT64_C(0x5eed);
    x = sample_random(&x);
    char text[512];
    size_t n = sample_fill(negative_kinds[seed % NEGATIVE_KINDS], &x, text);
    if (n >= cap)
        return 0;
    memcpy(out, text, n + 1);
    return n;
}

#endif
