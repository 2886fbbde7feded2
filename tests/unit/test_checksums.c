/* Check digits: numbers that the authorities or their documentation print as examples, or that were
 * made by hand from the published rule. None belongs to a known person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../src/detect/checksums.h"

#define FN(name) bz_checksum_##name, #name

static const struct {
    bz_checksum_fn *fn;
    const char *name, *good;
    unsigned slips; /* one changed character in a hundred that may go unseen; 100: not a check */
} vectors[] = {
    {FN(luhn), "79927398713", 0},
    {FN(verhoeff), "2363", 0},
    {FN(verhoeff), "123451", 0},
    {FN(mod11_10), "07945", 0},
    {FN(mod11_2), "0000000123456789", 0}, /* ISNI range of examples */
    {FN(mod11_2), "000000012146438X", 0},
    {FN(ean), "4006381333931", 0},
    {FN(mod731), "T220001293", 15}, /* old German card; ten and three differ by a multiple */
    {FN(iban), "GB82WEST12345698765432", 2},
    {FN(iban), "DE89370400440532013000", 2},
    {FN(iban), "FR1420041010050500013M02606", 2},
    {FN(iban), "NO9386011117947", 2},
    {FN(iban), "MT84MALT011000012345MTLCAST001S", 2},
    {FN(card), "4111111111111111", 0},
    {FN(card), "5555555555554444", 0},
    {FN(card), "378282246310005", 0},
    {FN(card), "6011111111111117", 0},
    {FN(card), "3530111333300000", 0},
    {FN(card), "30569309025904", 0},
    {FN(card), "6304000000000000", 0},
    {FN(imei), "490154203237518", 0},
    {FN(vin), "1M8GDM9AXKP042788", 12},
    {FN(vin), "1HGCM82633A004352", 12},
    {FN(us_ssn), "536904399", 100},
    {FN(us_itin), "912703457", 100},
    {FN(us_aba), "111000025", 0},
    {FN(us_npi), "1245319599", 0},
    {FN(us_mbi), "1EG4TE5MK73", 100},
    {FN(us_dea), "BB1388568", 45},
    {FN(ca_sin), "130692544", 0},
    {FN(mx_curp), "BOXW310820HNERXN09", 16},
    {FN(mx_rfc), "GODE561231GR8", 16},
    {FN(br_cpf), "39053344705", 2},
    {FN(br_cnpj), "16727230000197", 0},
    {FN(br_cnpj), "12ABC34501DE35", 12},
    {FN(ar_cuit), "20055361682", 2},
    {FN(cl_rut), "760864285", 2},
    {FN(sg_nric), "S1234567D", 5},
    {FN(sg_nric), "T1234567J", 5},
    {FN(sg_nric), "F1234567N", 5},
    {FN(sg_nric), "G1234567X", 5},
    {FN(sg_nric), "M1234567K", 5},
    {FN(sg_uen), "00192200M", 15},
    {FN(sg_uen), "197401143C", 10},
    {FN(sg_uen), "T01FC6132D", 10},
    {FN(au_abn), "83914571673", 3},
    {FN(au_acn), "004085616", 30},
    {FN(au_tfn), "123456782", 0},
    {FN(au_medicare), "2123456701", 30},
    {FN(in_aadhaar), "234123412346", 0},
    {FN(in_gstin), "27AAPFU0939F1ZV", 2},
    {FN(in_pan), "ACUPA7085R", 100},
    {FN(kr_rrn), "9710139019902", 25},
    {FN(kr_brn), "1168200276", 8},
    {FN(cn_ric), "360426199101010071", 1},
    {FN(cn_ric), "11010519491231002X", 1},
    {FN(hk_id), "A1234563", 5},
    {FN(tw_id), "A123456789", 9},
    {FN(jp_my), "123456789018", 3},
    {FN(th_tnin), "1234545678781", 17},
    {FN(il_id), "039337423", 0},
    {FN(tr_id), "17291716060", 0},
    {FN(za_id), "7503305044089", 0},
    {FN(my_nric), "770305021234", 100},
    {FN(uk_nhs), "9434765870", 0},
    {FN(uk_nino), "AB123456C", 100},
    {FN(uk_driver), "MORGA657054SM9IJ", 100},
    {FN(ie_pps), "6433435F", 6},
    {FN(ie_pps), "6433435OA", 8},
    {FN(es_nif), "54362315K", 5},
    {FN(es_nif), "12345678Z", 5},
    {FN(es_nie), "X2482300W", 5},
    {FN(pt_nif), "501964843", 2},
    {FN(it_cf), "RCCMNL83S18D969H", 5},
    {FN(it_vat), "00743110157", 0},
    {FN(gr_amka), "01013099997", 0},
    {FN(gr_afm), "094259216", 5},
    {FN(de_idnr), "36574261809", 0},
    {FN(de_rvnr), "15070649C103", 5},
    {FN(de_kvnr), "A123456780", 4},
    {FN(de_lanr), "123456601", 26}, /* the specialty is not checked */
    {FN(de_vat), "DE136695976", 0},
    {FN(at_svnr), "1237010180", 2},
    {FN(ch_ahv), "7569217076985", 0},
    {FN(ch_uid), "CHE100155212", 0},
    {FN(pl_pesel), "44051401359", 0},
    {FN(pl_nip), "8567346215", 2},
    {FN(pl_regon), "192598184", 5},
    {FN(cz_rc), "7103192745", 3},
    {FN(hu_taj), "111111110", 0},
    {FN(fi_hetu), "131052-308T", 5},
    {FN(se_pnr), "8803200016", 0},
    {FN(se_pnr), "198803200016", 4},
    {FN(se_orgnr), "1234567897", 0},
    {FN(no_fnr), "15108695088", 0},
    {FN(dk_cpr), "2110625629", 0},
    {FN(is_kt), "4504013150", 8},
    {FN(ee_ik), "36805280109", 3},
    {FN(ee_ik), "33309240064", 9}, /* Lithuania */
    {FN(lv_pk), "16117519997", 3},
    {FN(nl_bsn), "111222333", 0},
    {FN(be_nn), "85073003328", 3},
    {FN(fr_nir), "295109912611193", 1},
    {FN(fr_siren), "552008443", 0},
    {FN(fr_siret), "73282932000074", 0},
    {FN(ro_cnp), "1630615123457", 3},
    {FN(bg_egn), "7523169263", 3},
    {FN(hr_oib), "33392005961", 0},
    {FN(si_emso), "0101006500006", 0},
    {FN(ua_rnokpp), "1759013776", 4},
    {FN(ru_snils), "11223344595", 2},
    {FN(ru_inn), "500100732259", 2},
    {FN(nz_ird), "49091850", 3},
    {FN(nz_ird), "136410132", 9},
    {FN(pl_id_card), "ABS123456", 4},
    {FN(de_serial), "T220001293", 15},
    {FN(uk_postcode), "SW1A1AA", 100},
    {FN(base58), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 0},
    {FN(base58), "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", 0},
    {FN(bech32), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 0},
    {FN(bech32), "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", 0},
    {FN(eip55), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 60},
    {FN(eip55), "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", 60},
};

static void known_numbers_are_valid(void **state) {
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const char *v = vectors[i].good;
        if (!vectors[i].fn((const uint8_t *)v, strlen(v))) {
            print_error("%s %s\n", vectors[i].name, v);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* Single mistakes: another digit for a digit, another letter for a letter. */
static void one_wrong_character_is_seen(void **state) {
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t text[64];
        size_t n = strlen(vectors[i].good), tried = 0, slipped = 0;
        memcpy(text, vectors[i].good, n);
        for (size_t at = 0; at < n; at++) {
            uint8_t was = text[at];
            uint8_t first = was <= '9' ? '0' : was <= 'Z' ? 'A' : 'a';
            for (uint8_t c = first; c <= (was <= '9' ? '9' : first + 25); c++) {
                if (c == was)
                    continue;
                text[at] = c;
                tried++;
                slipped += vectors[i].fn(text, n);
            }
            text[at] = was;
        }
        if (slipped * 100 > tried * vectors[i].slips) {
            print_error("%s %s: %zu of %zu unseen\n", vectors[i].name, vectors[i].good, slipped,
                        tried);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void wrong_lengths_and_bytes_are_no_numbers(void **state) {
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t *text = malloc(64); /* exact sizes: the sanitizer sees a byte too far */
        size_t n = strlen(vectors[i].good);
        assert_non_null(text);
        memset(text, 0, 64);
        assert_false(vectors[i].fn(text, n));
        memset(text, 0xff, 64);
        assert_false(vectors[i].fn(text, n));
        free(text);
        for (size_t k = 0; k < n; k++) {
            uint8_t *part = malloc(k == 0 ? 1 : k);
            assert_non_null(part);
            memcpy(part, vectors[i].good, k);
            vectors[i].fn(part, k); /* any answer, no byte beyond */
            free(part);
        }
    }
}

static void special_rules(void **state) {
    static const struct {
        bz_checksum_fn *fn;
        const char *name, *text;
        bool good;
    } cases[] = {
        {FN(us_ssn), "078051120", false}, /* printed on a card that was sold with wallets */
        {FN(us_ssn), "666123456", false},
        {FN(us_ssn), "900123456", false},
        {FN(us_ssn), "123006789", false},
        {FN(us_ssn), "123450000", false},
        {FN(us_itin), "912503457", true},
        {FN(us_itin), "912893457", false},
        {FN(card), "0000000000000000", false},
        {FN(card), "1234567812345670", false}, /* Luhn holds, no network has it */
        {FN(iban), "DE00370400440532013000", false},
        {FN(iban), "XX89370400440532013000", false},
        {FN(de_idnr), "12345678903", false}, /* the check digit holds, no digit stands twice */
        {FN(uk_nino), "BG123456C", false},
        {FN(uk_nino), "QQ123456C", false},
        {FN(uk_nino), "AB123456E", false},
        {FN(it_cf), "RCCMNL83S18D969I", false},
        {FN(it_cf), "RCCMNLUPSMUDVSVH", false}, /* letters for digits change the last one */
        {FN(fi_hetu), "131052-308U", false},
        {FN(fi_hetu), "131052A308T", true},
        {FN(dk_cpr_form), "2110620000", true},
        {FN(dk_cpr_form), "3113620000", false},
        {FN(be_nn), "85073003329", false},
        {FN(kr_rrn_form), "9710134019905", true},
        {FN(kr_rrn_form), "9713134019905", false},
        {FN(fr_nir), "295102A12611193", false},
        {FN(eip55), "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", false}, /* nothing to check */
        {FN(base58), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false},
        {FN(bech32), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", false},
        {FN(bech32), "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", true},
        {FN(au_abn), "51824753556", true},
        {FN(mx_curp), "BOXW310820HNERXN08", false},
        {FN(cn_ric), "110105194912310021", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *t = cases[i].text;
        if (cases[i].fn((const uint8_t *)t, strlen(t)) != cases[i].good)
            fail_msg("%s %s", cases[i].name, t);
    }
}

static void dates(void **state) {
    assert_true(bz_checksum_date(2024, 2, 29));
    assert_true(bz_checksum_date(0, 2, 29));
    assert_true(bz_checksum_date(2000, 2, 29));
    assert_false(bz_checksum_date(1900, 2, 29));
    assert_false(bz_checksum_date(2023, 2, 29));
    assert_false(bz_checksum_date(2023, 4, 31));
    assert_false(bz_checksum_date(2023, 13, 1));
    assert_false(bz_checksum_date(2023, 0, 1));
    assert_false(bz_checksum_date(2023, 1, 0));
    assert_true(bz_checksum_yymmdd((const uint8_t *)"851231"));
    assert_false(bz_checksum_yymmdd((const uint8_t *)"853112"));
    assert_true(bz_checksum_ddmmyy((const uint8_t *)"311285"));
    assert_false(bz_checksum_ddmmyy((const uint8_t *)"31a285"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_are_valid),
        cmocka_unit_test(one_wrong_character_is_seen),
        cmocka_unit_test(wrong_lengths_and_bytes_are_no_numbers),
        cmocka_unit_test(special_rules),
        cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests_name("checksums", tests, NULL, NULL);
}
