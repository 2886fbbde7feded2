/* Check digits of numbers that people, firms and things have. Each function takes the compact form:
 * ASCII digits and capital letters, no separators; any other byte or a wrong length gives false.
 * They look at nothing but the number. Sources: the issuing authorities' published rules; vectors
 * in tests/unit/test_checksums.c. */
#ifndef BZ_DETECT_CHECKSUMS_H
#define BZ_DETECT_CHECKSUMS_H

#include <bartizan/view.h>

typedef bool bz_checksum_fn(const uint8_t *s, size_t n);

/* General schemes, any length: the check character is the last one. */
bz_checksum_fn bz_checksum_luhn;     /* ISO/IEC 7812-1 */
bz_checksum_fn bz_checksum_verhoeff; /* dihedral group D5 */
bz_checksum_fn bz_checksum_mod11_10; /* ISO/IEC 7064 MOD 11,10 */
bz_checksum_fn bz_checksum_mod11_2;  /* ISO/IEC 7064 MOD 11-2, 'X' is ten */
bz_checksum_fn bz_checksum_ean;      /* GS1 mod 10, weights 1 and 3 */
bz_checksum_fn bz_checksum_mod731;   /* ICAO 9303: weights 7, 3, 1; letters are 10 to 35 */

/* A calendar day; year 0 means unknown: the 29th of February is then a day. */
bool bz_checksum_date(unsigned year, unsigned month, unsigned day);
/* Dates in a number: digits s[0..5] as YYMMDD or DDMMYY, the century not known. */
bool bz_checksum_yymmdd(const uint8_t *s);
bool bz_checksum_ddmmyy(const uint8_t *s);

/* The world. */
bz_checksum_fn bz_checksum_iban, bz_checksum_card, bz_checksum_imei, bz_checksum_vin;
bz_checksum_fn bz_checksum_us_ssn, bz_checksum_us_itin, bz_checksum_us_aba, bz_checksum_us_npi;
bz_checksum_fn bz_checksum_us_mbi, bz_checksum_us_dea, bz_checksum_ca_sin, bz_checksum_mx_curp;
bz_checksum_fn bz_checksum_mx_rfc, bz_checksum_br_cpf, bz_checksum_br_cnpj, bz_checksum_ar_cuit;
bz_checksum_fn bz_checksum_cl_rut, bz_checksum_sg_nric, bz_checksum_sg_uen, bz_checksum_au_abn;
bz_checksum_fn bz_checksum_nz_ird, bz_checksum_au_acn, bz_checksum_au_tfn, bz_checksum_au_medicare;
bz_checksum_fn bz_checksum_in_aadhaar, bz_checksum_in_gstin, bz_checksum_in_pan;
bz_checksum_fn bz_checksum_kr_rrn_form, bz_checksum_kr_rrn, bz_checksum_kr_brn, bz_checksum_cn_ric,
    bz_checksum_hk_id;
bz_checksum_fn bz_checksum_tw_id, bz_checksum_jp_my, bz_checksum_th_tnin, bz_checksum_il_id;
bz_checksum_fn bz_checksum_tr_id, bz_checksum_za_id, bz_checksum_my_nric;

/* Characters of an IBAN of the country whose letters are at cc, 0: there are none. */
size_t bz_checksum_iban_length(const uint8_t cc[2]);

/* Europe. */
bz_checksum_fn bz_checksum_uk_postcode, bz_checksum_de_serial, bz_checksum_pl_id_card;
bz_checksum_fn bz_checksum_uk_nhs, bz_checksum_uk_nino, bz_checksum_uk_driver;
bz_checksum_fn bz_checksum_es_nif, bz_checksum_es_nie, bz_checksum_it_cf, bz_checksum_it_vat;
bz_checksum_fn bz_checksum_de_lanr, bz_checksum_de_idnr, bz_checksum_de_rvnr, bz_checksum_de_kvnr,
    bz_checksum_de_vat;
bz_checksum_fn bz_checksum_pl_pesel, bz_checksum_pl_nip, bz_checksum_pl_regon;
bz_checksum_fn bz_checksum_fi_hetu, bz_checksum_se_pnr, bz_checksum_se_orgnr, bz_checksum_no_fnr;
bz_checksum_fn bz_checksum_dk_cpr_form, bz_checksum_dk_cpr, bz_checksum_nl_bsn, bz_checksum_be_nn;
bz_checksum_fn bz_checksum_fr_nir, bz_checksum_fr_siren, bz_checksum_fr_siret;
bz_checksum_fn bz_checksum_ch_ahv, bz_checksum_ch_uid, bz_checksum_at_svnr, bz_checksum_pt_nif;
bz_checksum_fn bz_checksum_cz_rc, bz_checksum_ro_cnp, bz_checksum_bg_egn, bz_checksum_hr_oib;
bz_checksum_fn bz_checksum_ee_ik, bz_checksum_lv_pk, bz_checksum_gr_amka, bz_checksum_gr_afm;
bz_checksum_fn bz_checksum_hu_taj, bz_checksum_si_emso, bz_checksum_ie_pps, bz_checksum_is_kt;
bz_checksum_fn bz_checksum_ua_rnokpp, bz_checksum_ru_snils, bz_checksum_ru_inn;

/* Addresses of money: base58 with its double SHA-256, bech32 and bech32m, the capitals of
 * EIP-55 (false when all letters have one case: nothing was checked). */
bz_checksum_fn bz_checksum_base58, bz_checksum_bech32, bz_checksum_eip55;

/* ---- for the rooms of this folder ---- */
static inline bool bz_checksum_digits(const uint8_t *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
    }
    return true;
}
/* All digits are one and the same. */
bool bz_checksum_same(const uint8_t *s, size_t n);
/* Sum of digit times weight; the caller has checked that all n are digits. */
unsigned bz_checksum_weigh(const uint8_t *s, const uint8_t *w, size_t n);
static inline unsigned bz_checksum_two(const uint8_t *s) {
    return (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
}
/* Value of up to 18 digits. */
uint64_t bz_checksum_value(const uint8_t *s, size_t n);

#endif
