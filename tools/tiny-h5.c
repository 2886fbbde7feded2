/* tiny-h5 DIR: writes small HDF5 files for the tests of the scanner, one of each kind that counts. */
#define H5_USE_110_API
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dir;

static void must(bool good, const char *what) {
    if (!good) {
        fprintf(stderr, "tiny-h5: %s\n", what);
        exit(2);
    }
}

static hid_t create(const char *name, hid_t plist) {
    char path[2048];
    snprintf(path, sizeof path, "%s/%s.h5", dir, name);
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, plist, H5P_DEFAULT);
    must(f >= 0, path);
    return f;
}

static void text_attribute(hid_t at, const char *name, const char *text, bool variable) {
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    must(H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text) + 1) >= 0, name);
    hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    must(a >= 0 && H5Awrite(a, type, variable ? (const void *)&text : text) >= 0, name);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}

static void bytes_attribute(hid_t at, const char *name, const void *data, hsize_t n) {
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t a = H5Acreate2(at, name, H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT);
    must(a >= 0 && H5Awrite(a, H5T_STD_U8LE, data) >= 0, name);
    H5Aclose(a);
    H5Sclose(space);
}

static void weights(hid_t at, const char *name, hid_t plist) {
    static float zeros[4096];
    hsize_t n = 4096;
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t d = H5Dcreate2(at, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    must(d >= 0 && H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0, name);
    H5Dclose(d);
    H5Sclose(space);
}

static hid_t chunked(void) {
    hsize_t chunk = 1024;
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    must(H5Pset_chunk(plist, 1, &chunk) >= 0, "chunks");
    return plist;
}

/* ---- good ones -------------------------------------------------------------------------------------- */

static void good_files(void) {
    static const char dense[] =
        "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":"
        "\"Dense\",\"config\":{\"units\":3}}]}}";
    hid_t f = create("ok-weights", H5P_DEFAULT), packed = chunked();
    must(H5Pset_deflate(packed, 6) >= 0, "deflate");
    weights(f, "plain", H5P_DEFAULT);
    weights(f, "packed", packed);
    must(H5Lcreate_soft("/plain", f, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0, "soft");
    must(H5Lcreate_hard(f, "/", f, "loop", H5P_DEFAULT, H5P_DEFAULT) >= 0, "loop");
    text_attribute(f, "model_config", dense, true);
    text_attribute(f, "backend", "tensorflow", false);
    H5Pclose(packed);
    H5Fclose(f);

    hid_t block = H5Pcreate(H5P_FILE_CREATE);
    must(H5Pset_userblock(block, 512) >= 0, "user block");
    f = create("ok-userblock", block);
    weights(f, "w", H5P_DEFAULT);
    H5Fclose(f);
    H5Pclose(block);
}

/* ---- bad ones ----------------------------------------------------------------------------------------- */

static void code_files(void) {
    static const char lambda[] =
        "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":\"Lambda\","
        "\"config\":"
        "{\"function\":[\"4wE=\",null,null],\"function_type\":\"lambda\"}}]}}";
    /* calls os.getcwd, which harms nobody */
    static const char pickle[] = "\x80\x04"
                                 "cos\ngetcwd\n)R.";
    for (int variable = 0; variable < 2; variable++) {
        hid_t f = create(variable ? "lambda-variable" : "lambda-fixed", H5P_DEFAULT);
        text_attribute(f, "model_config", lambda, variable);
        H5Fclose(f);
    }
    hid_t f = create("pickle", H5P_DEFAULT);
    bytes_attribute(f, "state", pickle, sizeof pickle - 1);
    H5Fclose(f);
}

static void outside_files(void) {
    hsize_t n = 10;
    hid_t f = create("elink", H5P_DEFAULT), space = H5Screate_simple(1, &n, NULL);
    must(H5Lcreate_external("/etc/hostname", "/x", f, "x", H5P_DEFAULT, H5P_DEFAULT) >= 0, "link");
    H5Fclose(f);

    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    must(H5Pset_external(plist, "/etc/hostname", 0, 10) >= 0, "external");
    f = create("external", H5P_DEFAULT);
    hid_t d = H5Dcreate2(f, "d", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    must(d >= 0, "external dataset");
    H5Dclose(d);
    H5Fclose(f);
    H5Pclose(plist);

    plist = H5Pcreate(H5P_DATASET_CREATE);
    must(H5Pset_virtual(plist, space, "/etc/hostname", "/x", space) >= 0, "virtual");
    f = create("virtual", H5P_DEFAULT);
    d = H5Dcreate2(f, "d", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    must(d >= 0, "virtual dataset");
    H5Dclose(d);
    H5Fclose(f);
    H5Pclose(plist);
    H5Sclose(space);
}

static void filter_file(void) {
    hid_t f = create("filter", H5P_DEFAULT), plist = chunked();
    must(H5Pset_filter(plist, 32001, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0, "filter");
    weights(f, "w", plist);
    H5Pclose(plist);
    H5Fclose(f);
}

static void deep_file(void) {
    hid_t f = create("deep", H5P_DEFAULT), at = f;
    for (int i = 0; i < 200; i++) {
        hid_t next = H5Gcreate2(at, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        must(next >= 0, "group");
        if (at != f)
            H5Gclose(at);
        at = next;
    }
    H5Gclose(at);
    H5Fclose(f);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: tiny-h5 DIR\n");
        return 2;
    }
    dir = argv[1];
    good_files();
    code_files();
    outside_files();
    filter_file();
    deep_file();
    return 0;
}
