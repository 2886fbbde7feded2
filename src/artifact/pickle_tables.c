/* Names that pickles use: what is harmless, in which role, and what does harm. Facts about public
 * libraries, collected from their documentation and from pickles that they write. */
#include "pickle_names.h"

/* ---- harmless, exactly ---------------------------------------------------------------------- */

enum {
    R = BZ_PK_REF,
    N = BZ_PK_REF | BZ_PK_NEW | BZ_PK_ARG,
    C = BZ_PK_REF | BZ_PK_NEW | BZ_PK_ARG | BZ_PK_CALL | BZ_PK_FACTORY,
    F = BZ_PK_REF | BZ_PK_CALL, /* a function that is called, and no class */
    K = BZ_PK_REF | BZ_PK_FACTORY,
    A = BZ_PK_REF | BZ_PK_ARG,
};

#define MULTIARRAY "numpy.core.multiarray numpy._core.multiarray numpy.multiarray"

const struct bz_pk_row bz_pk_rows[] = {
    /* the language */
    {"builtins",
     "list tuple dict set frozenset bytearray bytes complex int float bool str object slice range "
     "Ellipsis NotImplemented *Camel",
     C, BZ_PK_ANY},
    {"builtins", "reversed enumerate zip", F, BZ_PK_ANY},
    {"builtins", "iter", F, BZ_PK_TYPE},
    {"builtins",
     "len sum min max abs sorted round repr hash ord chr any all divmod pow isinstance issubclass "
     "callable ascii bin hex oct format",
     F | BZ_PK_FACTORY, BZ_PK_ANY},
    {"builtins",
     "print next str.lower str.upper str.strip str.split "
     "str.title str.casefold str.capitalize unicode.lower unicode.upper unicode.strip "
     "unicode.split",
     K, BZ_PK_ANY},
    {"builtins", "map filter", F, BZ_PK_KEEPS},
    {"builtins", "type", F, BZ_PK_TYPE},
    {"builtins", "getattr", BZ_PK_CALL, BZ_PK_GETATTR},
    {"copyreg", "_reconstructor __newobj__ __newobj_ex__", F, BZ_PK_REBUILDS},
    {"_codecs codecs", "encode", F, BZ_PK_CODEC},
    {"__future__", "_Feature", C, BZ_PK_SCALARS},
    {"__future__",
     "annotations division print_function absolute_import unicode_literals generators "
     "nested_scopes with_statement generator_stop barry_as_FLUFL",
     R, BZ_PK_ANY},
    /* values */
    {"collections", "OrderedDict Counter deque ChainMap UserDict UserList UserString", C,
     BZ_PK_ANY},
    {"collections", "defaultdict", N | BZ_PK_CALL, BZ_PK_KEEPS},
    {"collections", "abc namedtuple", R, BZ_PK_ANY},
    {"datetime _pydatetime", "date time datetime timedelta timezone tzinfo", C, BZ_PK_ANY},
    {"zoneinfo zoneinfo._zoneinfo backports.zoneinfo", "ZoneInfo ZoneInfo._unpickle", C, BZ_PK_ANY},
    {"decimal _decimal _pydecimal", "Decimal Context DecimalTuple *Camel", C, BZ_PK_ANY},
    {"fractions", "Fraction", C, BZ_PK_ANY},
    {"uuid", "UUID SafeUUID", C, BZ_PK_SCALARS},
    {"pathlib pathlib._local pathlib._abc",
     "Path PurePath PosixPath PurePosixPath WindowsPath PureWindowsPath", C, BZ_PK_ANY},
    {"ipaddress", "*Camel", C, BZ_PK_SCALARS},
    {"array", "array _array_reconstructor", C, BZ_PK_ANY},
    {"re", "_compile RegexFlag Pattern", C, BZ_PK_ANY},
    {"sre_compile re._compiler", "compile", F, BZ_PK_SCALARS},
    {"types", "SimpleNamespace GenericAlias UnionType NoneType MappingProxyType", C, BZ_PK_ANY},
    {"argparse optparse", "*Camel", N, BZ_PK_ANY},
    {"argparse", "Namespace", C, BZ_PK_ANY},
    {"tables.filters tables.Leaf", "Filters", C, BZ_PK_ANY}, /* in every HDF5 file of PyTables */
    {"random", "Random SystemRandom", C, BZ_PK_ANY},
    {"random", "random uniform randint choice gauss shuffle sample", R, BZ_PK_ANY},
    {"statistics", "*Camel", N, BZ_PK_ANY},
    {"time", "struct_time", C, BZ_PK_ANY},
    {"time", "time perf_counter monotonic", R, BZ_PK_ANY},
    {"os posix nt", "stat_result terminal_size", C, BZ_PK_SCALARS},
    {"platform", "uname_result", C, BZ_PK_SCALARS},
    {"posixpath ntpath os.path", "join basename dirname splitext normpath", R, BZ_PK_ANY},
    {"io _io", "BytesIO StringIO", C, BZ_PK_ANY},
    {"string", "Template", C, BZ_PK_ANY},
    {"string", "capwords ascii_letters digits punctuation", R, BZ_PK_ANY},
    {"numbers collections.abc typing typing_extensions abc", "*Camel", N, BZ_PK_ANY},
    {"typing", "_GenericAlias _UnionGenericAlias _LiteralGenericAlias _SpecialForm", N, BZ_PK_ANY},
    {"urllib.parse", "*Camel", C, BZ_PK_ANY},
    {"http", "HTTPStatus HTTPMethod", C, BZ_PK_SCALARS},
    {"http.cookies http.cookiejar", "*Camel", N, BZ_PK_ANY},
    {"email email.message email.header email.headerregistry email.charset email.policy "
     "email._policybase email.utils email.mime.text email.mime.multipart email.mime.base",
     "*Camel", N, BZ_PK_ANY},
    {"xml.etree.ElementTree _elementtree", "Element ElementTree QName", C, BZ_PK_ANY},
    {"ast _ast", "*Camel", C, BZ_PK_ANY},
    {"inspect", "Signature Parameter BoundArguments _empty _ParameterKind", C, BZ_PK_ANY},
    {"json.decoder", "JSONDecodeError", C, BZ_PK_ANY},
    {"configparser csv difflib textwrap tokenize traceback dataclasses graphlib json.encoder "
     "json.decoder gettext calendar enum zipfile tarfile plistlib",
     "*Camel", N, BZ_PK_ANY},
    {"json", "JSONEncoder JSONDecoder", N, BZ_PK_ANY},
    {"dataclasses", "_MISSING_TYPE _HAS_DEFAULT_FACTORY_CLASS _FIELD_BASE", N, BZ_PK_ANY},
    {"contextlib", "nullcontext", N, BZ_PK_ANY},
    {"logging", "getLogger", F, BZ_PK_SCALARS},
    {"logging", "Logger RootLogger PlaceHolder NullHandler Formatter Filter LogRecord Manager", N,
     BZ_PK_ANY},
    /* small callables */
    {"functools", "partial", N | BZ_PK_CALL, BZ_PK_KEEPS},
    {"operator _operator", "itemgetter", C, BZ_PK_SCALARS},
    {"operator _operator", "attrgetter methodcaller", BZ_PK_REF | BZ_PK_CALL, BZ_PK_ATTRS},
    {"operator _operator", "getitem", BZ_PK_REF | BZ_PK_CALL, BZ_PK_GETITEM},
    {"operator _operator",
     "add sub mul truediv floordiv mod pow matmul neg pos abs and_ or_ xor not_ invert lshift "
     "rshift lt le eq ne gt ge contains concat countOf indexOf index is_ is_not truth",
     K, BZ_PK_ANY},
    {"itertools",
     "count cycle chain repeat islice zip_longest product permutations combinations "
     "combinations_with_replacement groupby tee _tee _tee_dataobject tee_dataobject compress "
     "pairwise chain.from_iterable",
     C, BZ_PK_ANY},
    {"itertools", "accumulate starmap takewhile dropwhile filterfalse", F, BZ_PK_KEEPS},
    {"math cmath", "*", K, BZ_PK_ANY},
    /* numpy */
    {"numpy",
     "dtype ndarray bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc intp "
     "uintp longlong ulonglong float16 float32 float64 float128 longdouble half single double "
     "complex64 complex128 complex256 csingle cdouble clongdouble str_ bytes_ unicode_ string_ "
     "void object_ datetime64 timedelta64 generic number integer inexact floating float_ int_ "
     "complexfloating signedinteger unsignedinteger flexible character long ulong uint byte ubyte "
     "short ushort",
     C, BZ_PK_ANY},
    {"numpy.core._multiarray_umath numpy._core._multiarray_umath numpy.core.umath "
     "numpy._core.umath scipy.special._ufuncs",
     "*", K, BZ_PK_ANY},
    {"scipy.interpolate._interpolate scipy.interpolate.interpolate",
     "interp1d._call_linear_np interp1d._call_linear interp1d._call_nearest "
     "interp1d._call_previousnext interp1d._call_spline interp1d._call_nan_spline",
     R, BZ_PK_ANY},
    {"numpy", "memmap", A, BZ_PK_ANY},
    {"numpy", "matrix recarray record poly1d chararray nditer broadcast", N, BZ_PK_ANY},
    {MULTIARRAY, "_reconstruct", F, BZ_PK_REBUILDS},
    {MULTIARRAY, "scalar", F, BZ_PK_ANY},
    {MULTIARRAY, "ndarray dtype", N, BZ_PK_ANY},
    {"numpy.core.numeric numpy._core.numeric", "_frombuffer", F, BZ_PK_ANY},
    {"numpy.core numpy._core", "_ufunc_reconstruct", F, BZ_PK_UFUNC},
    {"numpy.core.records numpy._core.records numpy.rec", "recarray record", N, BZ_PK_ANY},
    {"numpy.core.memmap numpy._core.memmap", "memmap", A, BZ_PK_ANY},
    {"numpy.matrixlib.defmatrix numpy.core.defchararray numpy._core.defchararray",
     "matrix chararray", N, BZ_PK_ANY},
    {"numpy.ma.core", "_mareconstruct", F, BZ_PK_REBUILDS},
    {"numpy.ma.mrecords", "_mrreconstruct", F, BZ_PK_REBUILDS},
    {"numpy.dtypes", "*Camel", C, BZ_PK_ANY},
    {"numpy.core._internal numpy._core._internal", "_convert_to_stringdtype_kwargs", F, BZ_PK_ANY},
    {"numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor", F,
     BZ_PK_REBUILDS},
    {"numpy.random.mtrand numpy.random._generator numpy.random",
     "RandomState Generator _rand mtrand", N, BZ_PK_ANY},
    {"numpy.random._mt19937 numpy.random._pcg64 numpy.random._philox numpy.random._sfc64 "
     "numpy.random.bit_generator numpy.random",
     "MT19937 PCG64 PCG64DXSM Philox SFC64 SeedSequence SeedlessSeedSequence", C, BZ_PK_ANY},
    /* pandas, dates, Arrow */
    {"pandas._libs.internals", "_unpickle_block", F, BZ_PK_ANY},
    {"pandas.core.indexes.base", "_new_Index", F, BZ_PK_REBUILDS},
    {"pandas.core.indexes.datetimes", "_new_DatetimeIndex", F, BZ_PK_REBUILDS},
    {"pandas.core.indexes.interval", "_new_IntervalIndex", F, BZ_PK_REBUILDS},
    {"pandas.core.indexes.multi", "_new_MultiIndex", F, BZ_PK_REBUILDS},
    {"pandas.core.indexes.period", "_new_PeriodIndex", F, BZ_PK_REBUILDS},
    {"pandas._libs.tslibs.timestamps", "_unpickle_timestamp Timestamp", C, BZ_PK_ANY},
    {"pandas._libs.tslibs.timedeltas", "_timedelta_unpickle Timedelta", C, BZ_PK_ANY},
    {"pandas._libs.tslibs.nattype", "_nat_unpickle __nat_unpickle NaTType", C, BZ_PK_ANY},
    {"pandas._libs.tslibs.period", "Period", C, BZ_PK_ANY},
    {"pandas._libs.missing", "NAType NA C_NA", C, BZ_PK_ANY},
    {"pandas.core.internals.blocks pandas.core.internals.api pandas.core.internals",
     "make_block new_block _make_block", F, BZ_PK_ANY},
    {"pytz", "_UTC _p UTC utc FixedOffset _FixedOffset", F, BZ_PK_SCALARS},
    {"pytz pytz.tzinfo pytz.tzfile", "DstTzInfo StaticTzInfo BaseTzInfo", N, BZ_PK_ANY},
    {"dateutil.tz dateutil.tz.tz dateutil.tz._common",
     "tzutc tzlocal tzoffset tzrange tzstr _tzicalvtz tzrangebase", C, BZ_PK_ANY},
    {"dateutil.tz dateutil.tz.tz dateutil.zoneinfo", "tzfile _ttinfo", C, BZ_PK_SCALARS},
    {"pyarrow.lib",
     "_restore_array type_for_alias py_buffer chunked_array _reconstruct_table table schema field "
     "string large_string binary int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 "
     "float64 bool_ timestamp date32 date64 list_ large_list struct dictionary",
     F, BZ_PK_ANY},
    /* torch */
    {"torch._utils",
     "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter "
     "_rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor "
     "_rebuild_sparse_csr_tensor _rebuild_nested_tensor _rebuild_meta_tensor_no_storage "
     "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor "
     "_rebuild_xla_tensor _rebuild_mlc_tensor _rebuild_mkldnn_tensor",
     F, BZ_PK_ANY},
    {"torch._utils", "_rebuild_wrapper_subclass", F, BZ_PK_REBUILDS},
    {"torch._tensor torch.tensor", "_rebuild_from_type _rebuild_from_type_v2", F, BZ_PK_CALLS},
    {"torch._tensor", "Tensor", N, BZ_PK_ANY},
    {"torch", "Size device Tensor Generator", C, BZ_PK_ANY},
    {"torch.serialization", "_get_layout", F, BZ_PK_SCALARS},
    {"torch.storage", "_load_from_bytes", F, BZ_PK_BYTES},
    {"torch.storage", "_TypedStorage _UntypedStorage TypedStorage UntypedStorage", N, BZ_PK_ANY},
    {"torch.nn.parameter", "Parameter Buffer UninitializedParameter", N, BZ_PK_ANY},
    {"torch.backends.cuda torch._C._nn", "*Camel", R, BZ_PK_ANY},
    {"torch.utils.hooks", "RemovableHandle BackwardHook", N, BZ_PK_ANY},
    {"torch.distributed.tensor torch.distributed._tensor torch.distributed._tensor.placement_types "
     "torch.distributed.tensor.placement_types torch.distributed._shard.sharded_tensor.metadata",
     "*Camel", N, BZ_PK_ANY},
    {"torch.jit._pickle",
     "build_intlist build_tensorlist build_doublelist build_boollist build_tensor_from_id "
     "restore_type_tag",
     F, BZ_PK_ANY},
    {"torch._C", "_VariableFunctions Generator Size", R, BZ_PK_ANY},
    /* joblib and what it was called inside of scikit-learn */
    {"joblib.numpy_pickle sklearn.externals.joblib.numpy_pickle joblib.numpy_pickle_compat",
     "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper", N, BZ_PK_ANY},
    /* constructors that are functions */
    {"sklearn.neighbors._kd_tree sklearn.neighbors._ball_tree sklearn.neighbors._dist_metrics "
     "sklearn.metrics._dist_metrics sklearn.neighbors.kd_tree sklearn.neighbors.ball_tree "
     "sklearn.neighbors.dist_metrics sklearn.neighbors.typedefs",
     "newObj", F, BZ_PK_REBUILDS},
    {"sklearn.utils._bunch sklearn.utils", "Bunch", C, BZ_PK_ANY},
    {"regex regex._regex _regex regex._main", "compile _compile", F, BZ_PK_SCALARS},
    {"astropy.units.core", "_recreate_irreducible_unit UnrecognizedUnit", F, BZ_PK_REBUILDS},
    {"PIL.Image", "Image", N, BZ_PK_ANY},
    {"shapely.io shapely.geometry.base shapely", "from_wkb geom_from_wkb", F, BZ_PK_SCALARS},
};
const size_t bz_pk_rows_n = sizeof bz_pk_rows / sizeof bz_pk_rows[0];

/* ---- harmful -------------------------------------------------------------------------------- */

const struct bz_pk_harmful bz_pk_harms[] = {
    {"os posix nt java.lang subprocess pty commands popen2 multiprocessing billiard "
     "_posixsubprocess pipes pexpect ptyprocess sh plumbum fabric invoke paramiko code codeop "
     "runpy "
     "unittest doctest pdb bdb ipdb pudb cProfile profile timeit trace pydoc idlelib lib2to3 "
     "ensurepip pip venv virtualenv distutils setuptools pkg_resources _pyrepl test asyncio "
     "asyncore asynchat concurrent threading _thread sched rlcompleter cgitb cgi cmd "
     "compileall py_compile site sitecustomize usercustomize webbrowser antigravity turtle tkinter "
     "_tkinter curses readline atexit faulthandler _aix_support _osx_support _bootsubprocess "
     "sysconfig _interpreters _xxsubinterpreters _xxinterpchannels _testcapi _testinternalcapi "
     "pytest _pytest nose IPython ipykernel jupyter_client notebook psutil docker ray dask "
     "distributed celery rq luigi prefect airflow mlflow papermill nbconvert ansible "
     "wsgiref socketserver hypothesis debugpy pydevd ptvsd click typer fire "
     "gunicorn uvicorn werkzeug django flask tornado twisted jinja2 mako "
     "numpy.distutils numpy.testing numpy.f2py scipy._lib._testutils scipy.weave "
     "pandas.core.computation pandas.util._tester torch.hub torch.utils.collect_env "
     "torch.utils.bottleneck torch.utils.cpp_extension torch.utils._config_module "
     "torch.utils.data.datapipes torch._inductor torch._dynamo torch._functorch torch.fx "
     "torch._export torch.export torch.package torch.jit.unsupported_tensor_ops "
     "torch.jit.frontend torch._sources torch.multiprocessing torch.distributed.elastic "
     "torch.distributed.rpc torch.distributed.run torch.distributed.launch torch.testing "
     "torch._jit_internal torch.compile torch.onnx "
     "triton cffi.api cffi.verifier numexpr "
     "tensorflow.python.platform sympy.parsing sympy.core.sympify sympy.utilities.lambdify "
     "sympy.utilities.autowrap sympy.utilities.runtests sympy.printing.preview "
     "gensim.scripts nltk.app spacy.cli horovod cython Cython pyximport "
     "transformers.commands transformers.agents transformers.tools smolagents langchain "
     "langchain_experimental langchain_community llama_index",
     NULL, BZ_PK_RUNS},
    {"builtins",
     "eval exec execfile compile __import__ breakpoint input raw_input help __build_class__",
     BZ_PK_RUNS},
    {"types",
     "CodeType FunctionType LambdaType MethodType ModuleType new_class prepare_class "
     "resolve_bases coroutine DynamicClassAttribute",
     BZ_PK_RUNS},
    {"platform", "popen _syscmd_ver _syscmd_uname _syscmd_file architecture uname", BZ_PK_RUNS},
    {"uuid",
     "_get_command_stdout _popen _find_mac getnode _ifconfig_getter _ip_getter _arp_getter "
     "_lanscan_getter _netstat_getter _ipconfig_getter",
     BZ_PK_RUNS},
    {"contextlib", "ExitStack contextmanager _GeneratorContextManager", BZ_PK_RUNS},
    {"numpy", "f2py distutils testing", BZ_PK_RUNS},
    {"numpy", "vectorize frompyfunc apply_along_axis apply_over_axes piecewise fromfunction",
     BZ_PK_REACHES},
    {"pandas", "eval", BZ_PK_RUNS},
    {"torch", "compile hub", BZ_PK_RUNS},
    {"sympy", "sympify lambdify parse_expr S", BZ_PK_RUNS},
    {"dill dill._dill cloudpickle cloudpickle.cloudpickle cloudpickle.cloudpickle_fast "
     "joblib.externals.cloudpickle ray.cloudpickle pyspark.cloudpickle",
     "_create_code _create_function _create_type _make_function _make_skel_func "
     "_make_skeleton_class _make_skeleton_enum _make_empty_cell _builtin_type _load_type "
     "_fill_function _rehydrate_skeleton_class _import_module subimport dynamic_subimport "
     "_gen_ellipsis _empty_cell_value _make_cell _create_cell _lookup_class_or_track "
     "_make_parametrized_cell _get_attr _eval_repr _create_lock _create_filehandle "
     "_create_stringo _create_stringi _create_namedtuple _create_array _create_ftype "
     "_create_rlock _create_weakref _create_weakproxy _function_setstate _class_setstate "
     "_function_getstate _get_cell_contents make_skel_func instance subimport",
     BZ_PK_RUNS},
    {"ctypes _ctypes cffi _cffi_backend numpy.ctypeslib mmap _posixshmem gc _testbuffer "
     "torch.ops torch._ops torch.classes numba llvmlite cupy.cuda pycuda",
     NULL, BZ_PK_NATIVE},
    {"numpy", "ctypeslib", BZ_PK_NATIVE},
    {"scipy scipy._lib._ccallback", "LowLevelCallable", BZ_PK_NATIVE},
    {"tensorflow", "load_library load_op_library", BZ_PK_NATIVE},
    {"shutil tempfile fileinput glob linecache sqlite3 _sqlite3 dbm shelve distutils.file_util "
     "distutils.dir_util filecmp fcntl zipapp mailbox netrc gzip bz2 lzma _gzip logging.handlers "
     "logging.config h5py tables zarr fsspec s3fs gcsfs smart_open cv2 imageio "
     "pandas.io numpy.lib.npyio numpy.lib._npyio_impl numpy.lib.format numpy.lib._datasource "
     "skimage.io scipy.io _pyio",
     NULL, BZ_PK_FILES},
    {"builtins", "open file", BZ_PK_FILES},
    {"io _io",
     "open open_code FileIO TextIOWrapper BufferedReader BufferedWriter BufferedRandom "
     "OpenWrapper",
     BZ_PK_FILES},
    {"codecs", "open EncodedFile StreamReaderWriter", BZ_PK_FILES},
    {"logging", "FileHandler basicConfig", BZ_PK_FILES},
    {"numpy",
     "fromfile genfromtxt loadtxt fromregex save savez savez_compressed savetxt DataSource "
     "memmap.flush memmap",
     BZ_PK_FILES},
    {"pandas",
     "read_csv read_table read_fwf read_json read_html read_xml read_excel read_hdf "
     "read_parquet read_feather read_orc read_sql read_sql_query read_sql_table read_gbq "
     "read_sas read_spss read_stata read_clipboard ExcelFile HDFStore ExcelWriter",
     BZ_PK_FILES},
    {"pathlib", "Path.write_text Path.write_bytes Path.unlink Path.open Path.read_text",
     BZ_PK_FILES},
    {"torch", "save from_file", BZ_PK_FILES},
    {"zipfile tarfile", "ZipFile TarFile open PyZipFile", BZ_PK_FILES},
    {"socket _socket ssl _ssl select selectors http urllib urllib2 urllib3 requests httpx aiohttp "
     "httplib2 ftplib smtplib imaplib poplib nntplib telnetlib xmlrpc xmlrpclib websocket "
     "websockets boto3 botocore google.cloud azure redis pymongo psycopg2 pymysql MySQLdb "
     "sqlalchemy "
     "zmq grpc netifaces dns scapy smtpd httplib BaseHTTPServer SimpleHTTPServer "
     "torch.distributed.distributed_c10d torch._C._distributed_c10d wandb gradio streamlit "
     "huggingface_hub.file_download huggingface_hub.hf_api",
     NULL, BZ_PK_NETWORK},
    {"pickle _pickle cPickle dill cloudpickle joblib shelve torch.serialization marshal jsonpickle "
     "_compat_pickle zodbpickle pickletools hickle klepto skops kedro yaml ruamel "
     "tensorflow.saved_model tensorflow.keras.models keras.models keras.saving "
     "keras.src.saving tf_keras.saving keras.src.models keras.layers.core.lambda_layer "
     "sklearn.externals tensorflow.python.saved_model",
     NULL, BZ_PK_LOADS},
    {"numpy", "load loads", BZ_PK_LOADS},
    {"pandas", "read_pickle", BZ_PK_LOADS},
    {"torch", "load", BZ_PK_LOADS},
    {"torch.jit torch.jit._serialization", "load jit_module_from_flatbuffer", BZ_PK_LOADS},
    {"importlib imp zipimport pkgutil modulefinder _frozen_importlib _frozen_importlib_external "
     "_imp "
     "_bootlocale sys __main__.__builtins__ inspect functools weakref _weakref copy "
     "types._calculate_meta opcode dis symtable pyclbr signal _signal resource tracemalloc "
     "_tracemalloc syslog winreg _winreg winsound msvcrt _winapi ctypes.util "
     "mypy pyparsing.testing copyreg enum operator _operator "
     "picklescan modelscan fickling modelaudit modelaudit_picklescan saferpickle model_unpickler "
     "modelscanner bartizan",
     NULL, BZ_PK_REACHES},
    {"builtins",
     "getattr setattr delattr globals locals vars dir super property classmethod "
     "staticmethod memoryview id __loader__ __spec__ __debug__ exit quit copyright "
     "credits license",
     BZ_PK_REACHES},
    {"_codecs codecs",
     "decode lookup lookup_error register register_error getdecoder getencoder "
     "getreader getwriter iterdecode iterencode",
     BZ_PK_REACHES},
    {"transformers", "AutoModel AutoTokenizer AutoConfig pipeline", BZ_PK_LOADS},
    {"transformers.dynamic_module_utils transformers.models.auto.auto_factory "
     "transformers.utils.import_utils transformers.utils.hub datasets.load",
     NULL, BZ_PK_LOADS},
};
const size_t bz_pk_harms_n = sizeof bz_pk_harms / sizeof bz_pk_harms[0];

const char bz_pk_unsafe[] =
    "system popen Popen popen2 popen3 popen4 exec eval execfile execl execle execlp execv execve "
    "execvp execvpe posix_spawn posix_spawnp spawn spawnl spawnle spawnlp spawnv spawnve spawnvp "
    "spawnv_passfds fork forkpty startfile check_output check_call getoutput getstatusoutput "
    "create_subprocess_shell create_subprocess_exec import_module load_module exec_module "
    "load_source load_dynamic run_path run_module run_code runcode runsource runctx _run_code "
    "_run_module_code shell_exec unlink rmtree removedirs urlopen urlretrieve create_connection "
    "resolve_name literal_eval_unsafe unsafe_load full_load run_command run_cmd exec_command "
    "_run_entry_point subprocess builtins modules CDLL WinDLL PyDLL cdll dlopen LoadLibrary "
    "from_pretrained os sys posix nt eval_expr safe_eval exec_code execute_code exec_script "
    "run_shell shell runstring myeval FunctionType CodeType load_from_disk unpickle read_pickle";

/* ---- libraries ------------------------------------------------------------------------------ */

const char bz_pk_standard[] =
    "__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _bootsubprocess _bz2 _codecs "
    "_collections _collections_abc _compat_pickle _compression _contextvars _crypt _csv _ctypes "
    "_curses _datetime _dbm _decimal _elementtree _frozen_importlib _frozen_importlib_external "
    "_functools _gdbm _hashlib _heapq _imp _io _json _locale _lsprof _lzma _markupbase _md5 _msi "
    "_multibytecodec _multiprocessing _opcode _operator _osx_support _overlapped _pickle "
    "_posixshmem _posixsubprocess _py_abc _pydatetime _pydecimal _pyio _pyrepl _queue _random "
    "_scproxy _sha1 _sha2 _sha256 _sha3 _sha512 _signal _sitebuiltins _socket _sqlite3 _sre _ssl "
    "_stat _statistics _string _strptime _struct _suggestions _symtable _sysconfig _thread "
    "_threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref "
    "_weakrefset _winapi _wmi _zoneinfo abc aifc annotationlib antigravity argparse array ast "
    "asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2 "
    "cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys "
    "compileall compression concurrent configparser contextlib contextvars copy copyreg crypt csv "
    "ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest dummy_threading "
    "email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch formatter "
    "fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip "
    "hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress "
    "itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox mailcap marshal "
    "math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath "
    "nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb pickle "
    "pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty "
    "pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib "
    "resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site "
    "smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl "
    "stat statistics string stringprep struct subprocess sunau symbol symtable sys sysconfig "
    "syslog tabnanny tarfile telnetlib tempfile termios test textwrap this threading time timeit "
    "tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing "
    "unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound "
    "wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";

const char bz_pk_known[] =
    "numpy scipy sklearn pandas torch torchvision torchaudio torchtext torchmetrics "
    "torch_geometric torch_sparse transformers tokenizers accelerate peft diffusers trl datasets "
    "sentence_transformers timm ultralytics fairseq omegaconf pytorch_lightning lightning "
    "lightning_fabric xgboost lightgbm catboost statsmodels patsy networkx sympy gensim spacy "
    "thinc nltk imblearn category_encoders umap hdbscan pynndescent shap lifelines prophet mlxtend "
    "skorch sktime tslearn pmdarima xarray astropy skimage PIL sentencepiece safetensors "
    "huggingface_hub keras tensorflow tf_keras jax jaxlib flax optax gpytorch botorch pyro deap "
    "hmmlearn pgmpy implicit surprise lightfm fastai fastcore fastprogress flair allennlp espnet "
    "espnet2 nemo speechbrain detectron2 mmcv mmdet mmengine mmseg gym gymnasium "
    "stable_baselines3 pyarrow shapely geopandas pint dateutil pytz attr pydantic pydantic_core "
    "regex e3nn ase rdkit pymatgen feature_engine autogluon sklearn_crfsuite interpret captum "
    "econml deepspeed bitsandbytes whisper open_clip clip segment_anything monai albumentations "
    "kornia einops vllm xformers apex sacremoses sacrebleu bert_score rouge_score scikeras "
    "sklearn_pandas sklearn2pmml skl2onnx onnx onnxruntime tsfresh pyod river alibi_detect dgl "
    "ogb botorch ax skopt bayes_opt optuna hyperopt textblob pyphen stanza langdetect ftfy "
    "unidecode jieba janome fugashi faiss annoy hnswlib";

const char bz_pk_aside[] =
    "torch.utils torch.distributed torch.jit torch.cuda torch._C torch.backends torch.autograd "
    "torch.overrides torch._ops torch._subclasses numpy.lib numpy.core numpy._core numpy.compat "
    "numpy._pytesttester numpy.typing scipy._lib sklearn.externals "
    "sklearn.utils._testing sklearn.datasets pandas.testing pandas.util pandas.plotting "
    "pandas._testing transformers.utils transformers.testing_utils tensorflow.python "
    "accelerate.commands deepspeed.launcher torch._tensor torch.storage torch.serialization";

const char bz_pk_scalar[] =
    "transformers.trainer_utils transformers.training_args transformers.utils.generic "
    "transformers.debug_utils transformers.integrations transformers.cache_utils "
    "accelerate.utils.dataclasses peft.utils.peft_types peft.peft_model trl.trainer "
    "torchvision.transforms.functional torchvision.transforms.v2 omegaconf.base "
    "lightning.pytorch.trainer.states pytorch_lightning.trainer.states "
    "lightning.fabric.utilities.enums pytorch_lightning.utilities.enums "
    "lightning.pytorch.utilities.enums torch.nn.attention torch.ao.quantization "
    "torchmetrics.utilities.enums sentence_transformers.similarity_functions "
    "sentence_transformers.util stable_baselines3.common.type_aliases "
    "ultralytics.utils catboost.core xarray.core torch.distributed.fsdp pandas._libs.tslibs "
    "pandas.core.dtypes torch.distributed.tensor torch.profiler torch._C._profiler "
    "torch._C._autograd";

const char bz_pk_ctor[] = "sklearn scipy statsmodels pandas._libs pandas.core pandas.tseries "
                          "numpy.ma numpy.polynomial lightgbm.basic";
const char bz_pk_cython[] =
    "sklearn scipy numpy pandas statsmodels hdbscan spacy thinc skimage catboost implicit pysam "
    "lightfm gensim cymem preshed murmurhash pmdarima";
