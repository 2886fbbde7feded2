/* The pickle machine: every opcode, the ways around scanners, and pickles that are harmless. */
#include "pickle_build.h"

#include <stdlib.h>

struct row {
    const char *what;
    const char *p;
    size_t n;
    const char *id; /* NULL: clean */
};
#define B(what, bytes, id)                                                                         \
    { what, bytes, sizeof(bytes) - 1, id }

#define OS_SYSTEM "\x8c\x02os\x8c\x06system\x93" /* STACK_GLOBAL */
#define ARG "\x8c\x04mark\x85R"
#define EVIL OS_SYSTEM ARG

static const struct row bad[] = {
    /* how a function is imported and called */
    B("global, reduce, protocol 0", "cos\nsystem\n(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("stack global", "\x80\x04" EVIL ".", "PKL-CALL-CODE"),
    B("inst", "(S'mark'\nios\nsystem\n.", "PKL-CALL-CODE"),
    B("obj", "(cos\nsystem\nS'mark'\no.", "PKL-CALL-CODE"),
    B("newobj", "\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)\x81.", "PKL-CALL-CODE"),
    B("newobj_ex", "\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)}\x92.", "PKL-CALL-CODE"),
    B("copyreg newobj",
      "\x80\x02"
      "ccopyreg\n__newobj__\ncsubprocess\nPopen\n\x85R.",
      "PKL-CALL-CODE"),
    B("copyreg reconstructor",
      "ccopyreg\n_reconstructor\n(csubprocess\nPopen\nc__builtin__\nobject\nNtR.", "PKL-CALL-CODE"),
    B("Python 2's name", "c__builtin__\neval\n(S'1'\ntR.", "PKL-CALL-CODE"),
    B("Python 2's module", "ccommands\ngetoutput\n(S'1'\ntR.", "PKL-CALL-CODE"),
    B("import alone", "\x80\x04" OS_SYSTEM ".", "PKL-IMPORT"),
    B("dropped at once", "\x80\x04" EVIL "0N.", "PKL-CALL-CODE"),
    B("by the extension registry",
      "\x80\x02"
      "ccopyreg\nadd_extension\n(X\x02\x00\x00\x00osX\x06\x00\x00\x00systemK\x07tR0\x82\x07"
      "X\x04\x00\x00\x00mark\x85R.",
      "PKL-CALL-CODE"),
    B("registers an extension", "ccopyreg\nadd_extension\n(S'a'\nS'b'\nI7\ntR.", "PKL-EXT-ADD"),
    B("unknown extension", "\x80\x02\x82\x07\x85.", "PKL-EXT"),
    B("unknown extension, two bytes", "\x80\x02\x83\x07\x01.", "PKL-EXT"),
    B("unknown extension, four bytes", "\x80\x02\x84\x07\x01\x00\x00.", "PKL-EXT"),
    B("calls an extension", "\x80\x02\x82\x07)R.", "PKL-CALL-COMPUTED"),
    /* the stack and the memo */
    B("memo holds the top, not the last argument",
      "\x80\x04\x8c\x0b"
      "collections\x94\x8c\x0bOrderedDict\x94"
      "00\x8c\x02osq\x00"
      "0\x8c\x06systemq\x01"
      "0h\x00h\x01\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("memo far away",
      "\x80\x04\x8c\x02osr\x05\x00\x01\x00\x30\x8c\x06system\x30\x30N\x30"
      "\x8c\x06systemr\x06\x00\x01\x00\x30j\x05\x00\x01\x00j\x06\x00\x01\x00\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("memo by text", "\x80\x04\x8c\x02osp7\n0\x8c\x06systemp8\n0g+7\ng 8\n\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("memoize counts what is stored",
      "\x80\x04Nq\x05\x30\x8c\x02os\x94\x30\x8c\x06systemq\x09\x30h\x01h\x09\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("dup and pop", "\x80\x04\x8c\x02os2\x30\x8c\x06system2\x30\x93" ARG ".", "PKL-CALL-CODE"),
    B("pop takes a mark", "\x80\x04\x8c\x02os(0\x8c\x06system(1\x93" ARG ".", "PKL-CALL-CODE"),
    B("function and arguments from the memo",
      "\x80\x04\x8c\x04mark\x85\x94\x30" OS_SYSTEM "h\x00R.", "PKL-CALL-CODE"),
    B("underflow before it", "\x80\x04N\x30N\x30\x30" EVIL ".", "PKL-CALL-CODE"),
    /* names */
    B("escapes in a string", "(S'\\x6fs'\nS'syst\\145m'\n\x93(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("escapes in a text", "V\\u006fs\nVsyste\\u006d\n\x93(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("short binary strings", "\x80\x04U\x02osU\x06system\x93" ARG ".", "PKL-CALL-CODE"),
    B("long texts",
      "\x80\x04\x8d\x02\x00\x00\x00\x00\x00\x00\x00os\x8d\x06\x00\x00\x00\x00\x00\x00\x00system"
      "\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("through a module",
      "\x80\x04\x8c\x04json\x8c\x14"
      "codecs.builtins.eval\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("through a harmless library", "\x80\x04\x8c\x07sklearn\x8c\x09os.system\x93" ARG ".",
      "PKL-CALL-CODE"),
    B("through a module's private import",
      "\x80\x04\x8c\x0b"
      "collections\x8c\x0c_sys.modules\x93.",
      "PKL-IMPORT"),
    B("through an unknown module",
      "\x80\x04\x8c\x03"
      "abx\x8c\x07one.two\x93.",
      "PKL-NAME-PATH"),
    B("dunder", "\x80\x04\x8c\x05numpy\x8c\x0c__builtins__\x93.", "PKL-NAME-PATH"),
    B("method of a builtin",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x08"
      "dict.get\x93.",
      "PKL-NAME-PATH"),
    B("blank in the name", "cos\nsystem \n(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("return in the module", "cos\r\nsystem\n(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("name that is no identifier",
      "\x80\x04\x8c\x03"
      "abx\x8c\x03"
      "a b\x93.",
      "PKL-NAME-ODD"),
    B("computed name",
      "\x80\x04\x8c\x07_codecs\x8c\x06"
      "decode\x93\x8c\x02"
      "bf\x8c\x05rot13\x86R\x8c\x06system\x93.",
      "PKL-NAME-COMPUTED"),
    B("computed by a harmless call",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x03str\x93\x8c\x02os\x85R\x8c\x06system\x93.",
      "PKL-NAME-COMPUTED"),
    B("a number as a name", "\x80\x04K*\x8c\x02os\x93.", "PKL-NAME-TYPE"),
    B("bytes as a name",
      "\x80\x04"
      "C\x02os\x8c\x06system\x93.",
      "PKL-NAME-TYPE"),
    /* indirection */
    B("getattr",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x07getattr\x93\x8c\x02os\x8c\x04path\x93\x8c\x02os\x86R.",
      "PKL-CALL-REACH"),
    B("getattr of a class",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x07getattr\x93\x8c\x07"
      "decimal\x8c\x07"
      "Decimal\x93\x8c\x08real_imp\x86R.",
      "PKL-NAME-PATH"),
    B("getattr, never called",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x07getattr\x93.",
      "PKL-IMPORT"),
    B("attrgetter of a function",
      "\x80\x04\x8c\x08operator\x8c\x0a"
      "attrgetter\x93\x8c\x06system\x85R.",
      "PKL-CALL-REACH"),
    B("methodcaller of a function",
      "\x80\x04\x8c\x08operator\x8c\x0cmethodcaller\x93\x8c\x06system\x8c\x01x\x86R.",
      "PKL-CALL-REACH"),
    B("getitem of what is no type",
      "\x80\x04\x8c\x08operator\x8c\x07getitem\x93\x8c\x05numpy\x8c\x06random\x93\x8c\x01x\x86R.",
      "PKL-CALL-REACH"),
    B("ufunc of any module",
      "\x80\x04\x8c\x0anumpy.core\x8c\x12_ufunc_reconstruct\x93\x8c\x02os\x8c\x06getpid\x86R.",
      "PKL-CALL-REACH"),
    B("partial keeps it",
      "\x80\x04\x8c\x09"
      "functools\x8c\x07partial\x93" OS_SYSTEM "\x8c\x04mark\x86R.",
      "PKL-IMPORT"),
    B("map runs a function of a library",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x03map\x93\x8c\x05numpy\x8c\x03"
      "abc\x93]\x86R.",
      "PKL-CALL-ARGS"),
    B("calls what a call gave", "\x80\x04\x8c\x08operator\x8c\x0aitemgetter\x93K\x01\x85R]\x85R.",
      "PKL-CALL-COMPUTED"),
    B("torch rebuilds by any function",
      "\x80\x04\x8c\x0dtorch._tensor\x8c\x15_rebuild_from_type_v2\x93(" OS_SYSTEM
      "\x8c\x05torch\x8c\x06Tensor\x93)}tR.",
      "PKL-CALL-CODE"),
    B("torch rebuilds by a function of a library",
      "\x80\x04\x8c\x0dtorch._tensor\x8c\x15_rebuild_from_type_v2\x93(\x8c\x05numpy\x8c\x03"
      "abc\x93"
      "\x8c\x05torch\x8c\x06Tensor\x93)}tR.",
      "PKL-CALL-ARGS"),
    B("type with three arguments",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x04type\x93\x8c\x01X)}\x87R.",
      "PKL-CALL-ARGS"),
    B("another codec",
      "\x80\x04\x8c\x07_codecs\x8c\x06"
      "encode\x93\x8c\x01X\x8c\x05rot13\x86R.",
      "PKL-CALL-ARGS"),
    /* state */
    B("setstate in the state",
      "\x80\x04\x8c\x0b"
      "collections\x8c\x0bOrderedDict\x93)R}(\x8c\x0c__setstate__\x8c\x08"
      "builtins\x8c\x05print\x93ub.",
      "PKL-HOOK"),
    B("append in the state",
      "\x80\x04\x8c\x05types\x8c\x0fSimpleNamespace\x93)R}\x8c\x06"
      "append\x8c\x08"
      "builtins\x8c\x05print\x93sb.",
      "PKL-HOOK"),
    B("build of a function", "\x80\x04\x8c\x05numpy\x8c\x04prod\x93}b.", "PKL-PATCH"),
    B("item of a module's dict", "\x80\x04\x8c\x05numpy\x8c\x04prod\x93NNs.", "PKL-PATCH"),
    B("append to a module's list", "\x80\x04\x8c\x05numpy\x8c\x04prod\x93Na.", "PKL-PATCH"),
    /* unknown things */
    B("unknown function",
      "\x80\x04\x8c\x03"
      "abx\x8c\x03run\x93\x8c\x01x\x85R.",
      "PKL-CALL-UNKNOWN"),
    B("unknown constructor with texts",
      "\x80\x04\x8c\x03"
      "abx\x8c\x03Run\x93\x8c\x01x\x85R.",
      "PKL-CALL-UNKNOWN"),
    B("function of a known library",
      "\x80\x04\x8c\x05torch\x8c\x04"
      "abcd\x93)R.",
      "PKL-CALL-UNKNOWN"),
    B("unsafe name of an unknown module",
      "\x80\x04\x8c\x03"
      "abx\x8c\x06system\x93.",
      "PKL-IMPORT"),
    B("part of Python", "\x80\x04\x8c\x05heapq\x8c\x05merge\x93)R.", "PKL-CALL-STDLIB"),
    B("part of Python, imported",
      "\x80\x04\x8c\x03"
      "ast\x8c\x05parse\x93.",
      "PKL-IMPORT-STDLIB"),
    /* several pickles, broken ones */
    B("second pickle", "\x80\x04N.\x80\x04" EVIL ".", "PKL-CALL-CODE"),
    B("second pickle without protocol", "\x80\x04N.cos\nsystem\n(S'mark'\ntR.", "PKL-CALL-CODE"),
    B("after bytes that are none", "\x80\x04N.\x00\x01\x02garbage\x80\x04" EVIL ".",
      "PKL-CALL-CODE"),
    B("after bytes that are none, by lines",
      "\x80\x04N.\x00\x01\x02garbage cos\nsystem\n(S'x'\ntR.", "PKL-CALL-CODE"),
    B("then an opcode that there is not", "\x80\x04" EVIL "0\xff\xff\xff", "PKL-CALL-CODE"),
    B("then the end", "\x80\x04" EVIL, "PKL-CALL-CODE"),
    B("then a text beyond the end", "\x80\x04" EVIL "X\xff\xff\xff\x7f", "PKL-CALL-CODE"),
    B("then the end, by lines", "cos\nsystem\n(S'mark'\ntR", "PKL-CALL-CODE"),
    B("after a protocol that there is not", "\x80\x04\x80\x09" EVIL ".", "PKL-CALL-CODE"),
    B("after a frame beyond the file", "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00" EVIL ".",
      "PKL-FRAME"),
    B("after such a frame, what runs", "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00" EVIL ".",
      "PKL-CALL-CODE"),
    B("across frames", "\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00" EVIL ".", "PKL-FRAME"),
    B("ends without STOP", "\x80\x04]\x94", "PKL-MALFORMED"),
    B("claims more than there is", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00", "PKL-MALFORMED"),
    B("fetches what is not there",
      "\x80\x04](K\x01\x65h\x63"
      "0N.",
      "PKL-MALFORMED"),
    B("no mark", "\x80\x04](K\x01\x65K\x01t.", "PKL-MALFORMED"),
    B("import, then broken for every reader", "cbuiltins\n__import__\nS'os'\x85Rp0\n.",
      "PKL-IMPORT"),
    B("a program behind",
      "\x80\x04N.\x7f"
      "ELF\x02\x01\x01",
      "PKL-TRAILING-CODE"),
    /* pickles in pickles */
    B("as bytes",
      "\x80\x04}\x8c\x01x"
      "C\x18\x80\x04" EVIL ".\x85s.",
      "PKL-CALL-CODE"),
    B("handed to a loader",
      "\x80\x04\x8c\x06pickle\x8c\x05loads\x93"
      "C\x02N.\x85R.",
      "PKL-CALL-LOAD"),
    B("handed to torch",
      "\x80\x04\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93"
      "C\x17"
      "cos\nsystem\n(S'mark'\ntR.\x85R.",
      "PKL-CALL-CODE"),
    B("handed to torch, no bytes", "\x80\x04\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93)R.",
      "PKL-CALL-LOAD"),
    B("as base64",
      "\x80\x04\x8c\x1c"
      "gASMAm9zjAZzeXN0ZW2TjAF4hVIu.",
      "PKL-CALL-CODE"),
    B("as digits",
      "\x80\x04\x8c\x2a"
      "80048c026f738c0673797374656d938c017885522e.",
      "PKL-CALL-CODE"),
};

static const struct row good[] = {
    B("none", "N.", NULL),
    B("frame", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", NULL),
    B("two frames",
      "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N0\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", NULL),
    B("numbers",
      "\x80\x04(I5\nI01\nL7L\nF1."
      "5\nK\x01M\x01\x02J\xff\xff\xff\xff\x8a\x01\xff\x8b\x01\x00\x00\x00\x05G\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x88\x89t.",
      NULL),
    B("number beyond all", "I99999999999999999999999999\n.", NULL),
    B("containers", "\x80\x04(]}\x8f)(K\x01\x91(ldt\x85\x86.", "PKL-MALFORMED"),
    B("list of containers",
      "\x80\x04](K\x01K\x02"
      "eK\x03"
      "a0}(K\x01K\x02uK\x03K\x04s0\x8f(K\x01\x90\x30(K\x01\x91.",
      NULL),
    B("texts that look like code",
      "\x80\x04](\x8c\x06system\x8c\x0a__import__\x8c\x09os.system"
      "e.",
      NULL),
    B("names as keys",
      "\x80\x04}(\x8c\x0c__setstate__K\x01\x8c\x09__class__N\x8c\x06"
      "appendK\x02u.",
      NULL),
    B("ordered dict",
      "\x80\x04\x8c\x0b"
      "collections\x8c\x0bOrderedDict\x93)R(\x8c\x01"
      "aK\x01u.",
      NULL),
    B("date", "cdatetime\ndate\n(c_codecs\nencode\n(V\\u0007\\u00e6\nVlatin1\ntRtR.", NULL),
    B("defaultdict",
      "\x80\x04\x8c\x0b"
      "collections\x8c\x0b"
      "defaultdict\x93\x8c\x08"
      "builtins\x8c\x04list\x93\x85R.",
      NULL),
    B("partial of a type",
      "\x80\x04\x8c\x09"
      "functools\x8c\x07partial\x93\x8c\x08"
      "builtins\x8c\x03int\x93\x85R(h\x00)}Ntb.",
      "PKL-MALFORMED"),
    B("map of a type",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x03map\x93\x8c\x08"
      "builtins\x8c\x03str\x93]\x86R.",
      NULL),
    B("itemgetter", "\x80\x04\x8c\x08operator\x8c\x0aitemgetter\x93K\x01\x85R.", NULL),
    B("attrgetter",
      "\x80\x04\x8c\x08operator\x8c\x0a"
      "attrgetter\x93\x8c\x04real\x85R.",
      NULL),
    B("type of None",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x04type\x93N\x85R.",
      NULL),
    B("generic type",
      "\x80\x04\x8c\x09_operator\x8c\x07getitem\x93\x8c\x06typing\x8c\x04List\x93\x8c\x08"
      "builtins\x8c\x03int\x93\x86R.",
      NULL),
    B("member of an enumeration",
      "\x80\x04\x8c\x08"
      "builtins\x8c\x07getattr\x93\x8c\x04http\x8c\x0aHTTPStatus\x93\x8c\x02OK\x86R.",
      NULL),
    B("scikit-learn",
      "\x80\x04\x8c\x1esklearn.linear_model._logistic\x8c\x12LogisticRegression\x93)\x81}\x8c\x01"
      "CK\x01sb.",
      NULL),
    B("cython",
      "\x80\x04\x8c\x0csklearn.tree\x8c\x12__pyx_unpickle_Foo\x93\x8c\x0csklearn.tree\x8c\x03"
      "Foo\x93K\x01N\x87R.",
      NULL),
    B("numpy array",
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n("
      "I1\ntcnumpy\ndtype\n(S'i1'\nI0\nI1\ntR"
      "(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x05'\ntb.",
      NULL),
    B("numpy by another name",
      "\x80\x04\x8c\x16numpy._core.multiarray\x8c\x0c_"
      "reconstruct\x93\x8c\x05numpy\x8c\x07ndarray\x93K\x00\x85"
      "C\x01"
      "b\x87R.",
      NULL),
    B("ufunc",
      "\x80\x04\x8c\x0anumpy.core\x8c\x12_ufunc_reconstruct\x93\x8c\x1cnumpy.core._multiarray_"
      "umath\x8c\x03"
      "add\x86R.",
      NULL),
    B("torch tensor",
      "\x80\x02"
      "ctorch._utils\n_rebuild_tensor_v2\n(("
      "X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00"
      "0X\x03\x00\x00\x00"
      "cpuK\x03tQK\x00K\x03\x85K\x01\x85\x89"
      "ccollections\nOrderedDict\n)RtR.",
      NULL),
    B("pickle with a harmless pickle in it",
      "\x80\x04"
      "C\x04\x80\x04N..",
      NULL),
    B("long text", "\x80\x04X\x11\x00\x00\x00gAS not base64 at.", NULL),
};

static void all(const struct row *r, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct bz_view v = bz_view(r[i].p, r[i].n);
        if (r[i].id == NULL)
            pk_is_clean(v, r[i].what);
        else
            pk_has(v, r[i].id, r[i].what);
    }
}

static void ways_to_run_are_found(void **state) {
    (void)state;
    all(bad, sizeof bad / sizeof bad[0]);
}

static void harmless_pickles_are_clean(void **state) {
    (void)state;
    all(good, sizeof good / sizeof good[0]);
}

/* Classes that nobody knows are neither harmless nor harmful: the scan says that it cannot tell. */
static void unknown_classes_are_not_checked(void **state) {
    (void)state;
    static const struct row rows[] = {
        B("instance", "\x80\x04\x8c\x08__main__\x8c\x05Model\x93)\x81}b.", "PKL-CLASS-UNKNOWN"),
        B("old instance", "(i__main__\nModel\n(dp0\nb.", "PKL-CLASS-UNKNOWN"),
        B("member of an enumeration",
          "\x80\x04\x8c\x05mylib\x8c\x05"
          "Color\x93K\x01\x85R.",
          "PKL-CLASS-UNKNOWN"),
        B("by reference", "\x80\x04\x8c\x05mylib\x8c\x08tokenize\x93.", "PKL-IMPORT-UNKNOWN"),
        B("rebuilt", "ccopy_reg\n_reconstructor\n(cmylib\nModel\nc__builtin__\nobject\nNtR.",
          "PKL-CLASS-UNKNOWN"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        pk_has_verdict(bz_view(rows[i].p, rows[i].n), rows[i].id, BZ_SCAN_UNCHECKED, rows[i].what);
}

/* Wherever a pickle ends after its payload, the payload is what is said about it. */
static void payload_before_every_cut(void **state) {
    (void)state;
    static const char whole[] = "\x80\x04" EVIL "}(\x8c\x01"
                                "aK\x01\x8c\x01"
                                "b]\x94(K\x01K\x02"
                                "eu.";
    size_t payload = 2 + sizeof EVIL - 1;
    for (size_t n = payload; n < sizeof whole; n++)
        pk_has(bz_view(whole, n), "PKL-CALL-CODE", "cut");
    for (size_t n = 2; n < payload; n++) { /* and before it, no cut is clean */
        struct scanned s = scan_mem(bz_view(whole, n));
        assert_int_equal(s.st, BZ_OK);
        assert_int_not_equal(s.r.verdict, BZ_SCAN_CLEAN);
        scan_mem_done(&s);
    }
}

static void other_bytes_are_no_pickles(void **state) {
    (void)state;
    static const struct row rows[] = {
        B("text", "code\nexec\nand more text.\n", NULL),
        B("text", "int x;\nVery simple.\nNone.", NULL),
        B("text", "classes\nimport os\n", NULL),
        B("text", "csh\nbash\nzsh\n", NULL), /* GLOBAL 'sh' 'bash' */
        B("text", "import sys\nif 'setuptools' in sys.modules:\n    pass\n", NULL),
        B("text", "I like it. \nS\n", NULL),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scanned s = scan_mem(bz_view(rows[i].p, rows[i].n));
        assert_string_not_equal(s.r.format, "pickle");
        scan_mem_done(&s);
    }
    uint8_t length[32] = {0x80, 0x02}; /* the length of a safetensors header */
    struct scanned s = scan_mem(bz_view(length, sizeof length));
    assert_string_not_equal(s.r.format, "pickle");
    scan_mem_done(&s);
}

/* Memory gives out at every allocation in turn: no crash, never "clean". */
struct failing {
    int left;
};
static void *failing_alloc(void *ctx, size_t n) {
    struct failing *f = ctx;
    return f->left-- > 0 ? malloc(n) : NULL;
}
static void failing_free(void *ctx, void *p) {
    (void)ctx;
    free(p);
}

static void memory_gives_out(void **state) {
    (void)state;
    static const struct bz_scan_options opt = {.fail_on = BZ_SEVERITY_MEDIUM};
    static const char bytes[] = "\x80\x04](" EVIL "e.";
    bool done = false;
    for (int n = 0; n < 100 && !done; n++) {
        struct failing f = {.left = n};
        struct bz_view v = bz_view(bytes, sizeof bytes - 1);
        struct bz_source src;
        struct bz_arena ar;
        struct bz_scan_result r;
        bz_source_mem(&src, &v);
        bz_arena_init(&ar, (struct bz_alloc){failing_alloc, failing_free, &f}, 64u << 20, NULL, 0);
        enum bz_status st = bz_scan(&ar, &src, BZ_V("f"), &opt, &r);
        assert_true(st == BZ_ENOMEM || (st == BZ_OK && r.verdict != BZ_SCAN_CLEAN));
        done = st == BZ_OK && r.verdict == BZ_SCAN_FINDINGS && r.findings_n > 1;
        bz_arena_free(&ar);
    }
    assert_true(done);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_to_run_are_found),
        cmocka_unit_test(harmless_pickles_are_clean),
        cmocka_unit_test(unknown_classes_are_not_checked),
        cmocka_unit_test(payload_before_every_cut),
        cmocka_unit_test(other_bytes_are_no_pickles),
        cmocka_unit_test(memory_gives_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
