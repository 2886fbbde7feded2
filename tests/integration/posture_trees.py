"""Trees for `bartizan posture --root`: one where every check passes, and for each check what spoils it.

A tree is a dict of path -> (content, mode), or path -> "-> target" for a link. build() writes it.
"""
import hashlib
import itertools
import json
import os
import pathlib
import struct
import time

# Nothing here has the form of a secret before it is put together.
HF = "hf" + "_" + "QzYpLmNvBxWkRtJdHsGfAeUcIoPqSwErTy"
SK = "sk" + "-" + "proj-9fK2mQ7xV4nB8wL3zR6tY1pD5sG0hJ"
DAY = 86400
NUMBERS = itertools.count(1)

USERS = {"ollama": 990, "llama": 991, "vllm": 992, "qdrant": 993, "webui": 994, "bartizan": 995, "sglang": 996, "ray": 997,
         "jupyter": 989, "mlflow": 988, "triton": 987, "litellm": 986, "openclaw": 985, "torch": 984, "claude": 983}

SANDBOX = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
CapabilityBoundingSet=
SystemCallFilter=@system-service
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
LockPersonality=yes
MemoryMax=32G
TasksMax=512
LimitNOFILE=65536
LimitCORE=0
MemorySwapMax=0
IPAddressDeny=any
IPAddressAllow=localhost
"""


def gguf(licence="apache-2.0", bad=False):
    """The smallest sound file: one key, one tensor of eight floats."""
    def text(s):
        return struct.pack("<Q", len(s)) + s.encode()
    kv = [("general.architecture", "llama"), ("general.license", licence)] if licence else [("general.architecture", "llama")]
    out = b"GGUF" + struct.pack("<IQQ", 3, 1, len(kv))
    for k, v in kv:
        out += text(k) + struct.pack("<I", 8) + text(v)
    out += text("token_embd.weight") + struct.pack("<IQIQ", 1, 8, 0, 1 << 40 if bad else 0)
    out += b"\0" * (-len(out) % 32)
    return out + b"\0" * 32


def proc(t, pid, user, argv, env=(), ports=(), **kw):
    """A process as /proc shows it, its listening sockets in net/tcp."""
    p = "proc/%d/" % pid
    uid = USERS[user] if user in USERS else {"root": 0, "alice": 1000, "www-data": 33}[user]
    name = kw.get("comm") or os.path.basename(argv[0])[:15]
    t[p + "cmdline"] = (b"\0".join(a.encode() for a in argv) + b"\0", 0o444)
    t[p + "environ"] = (b"".join(e.encode() + b"\0" for e in env), 0o400)
    t[p + "status"] = ("Name:\t%s\nUid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nGroups:\t%s\nCapEff:\t%016x\nNoNewPrivs:\t%d\nSeccomp:\t%d\n"
                       % (name, uid, uid, uid, uid, uid, uid, uid, uid, kw.get("groups", ""), kw.get("caps", 0),
                          kw.get("nnp", 1), kw.get("seccomp", 2)), 0o444)
    t[p + "limits"] = ("Limit                     Soft Limit           Hard Limit           Units     \n"
                       "Max core file size        %s                    %s                    bytes     \n"
                       "Max open files            65536                65536                files     \n"
                       % (kw.get("core", "0"), kw.get("core", "0")), 0o444)
    t[p + "cgroup"] = ("0::/system.slice/%s\n" % kw.get("unit", user + ".service"), 0o444)
    t[p + "maps"] = ("".join("7f0000000000-7f0000001000 r--s 00000000 fd:00 7 %s\n" % m for m in kw.get("maps", ())), 0o444)
    t[p + "exe"] = "-> " + kw.get("exe", argv[0])
    for i, port in enumerate(ports):
        inode = pid * 100 + i
        t[p + "fd/%d" % (3 + i)] = "-> socket:[%d]" % inode
        listen(t, kw.get("addr", "127.0.0.1"), port, inode, uid)
    for i, f in enumerate(kw.get("files", ())):
        t[p + "fd/%d" % (30 + i)] = "-> " + f
    t.setdefault(p + "fd/0", "-> /dev/null")


def listen(t, addr, port, inode=0, uid=0):
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    old = t.get("proc/net/tcp", (head, 0o444))[0]
    word = "".join("%02X" % int(x) for x in reversed(addr.split(".")))
    t["proc/net/tcp"] = (old + "   0: %s:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000 %5d        0 %d 1 0 100 0 0 10 0\n"
                         % (word, port, uid, inode), 0o444)


def listen6(t, port):
    head = "  sl  local_address                         remote_address                        st\n"
    t["proc/net/tcp6"] = (head + "   0: 00000000000000000000000000000000:%04X 00000000000000000000000000000000:0000 0A 00000000:00000000"
                          " 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0\n" % port, 0o444)


def unit(t, name, user, exec_start, env=(), more=SANDBOX):
    lines = "".join("Environment=%s\n" % e for e in env)
    t["etc/systemd/system/%s.service" % name] = (
        "[Unit]\nDescription=%s\n[Service]\nUser=%s\nExecStart=%s\n%s%s[Install]\nWantedBy=multi-user.target\n"
        % (name, user, exec_start, lines, more), 0o644)


def container(t, name="tei", **kw):
    """Docker's own two files."""
    cid = hashlib.sha256(name.encode()).hexdigest()
    config = {"ID": cid, "Name": "/" + name, "Path": "text-embeddings-router", "Args": ["--port", "80"], "State": {"Running": True},
              "Config": {"User": "10001", "Image": "ghcr.io/huggingface/text-embeddings-inference:1.8@sha256:" + "ab" * 32,
                         "Env": ["NVIDIA_VISIBLE_DEVICES=GPU-6c1f9b1e-0000-4000-8000-000000000000", "HF_HUB_OFFLINE=1"],
                         "Cmd": ["--port", "80"]},
              "MountPoints": {"/data": {"Source": "/srv/models", "Destination": "/data", "RW": False}}}
    host = {"Privileged": False, "CapAdd": None, "NetworkMode": "bridge", "PidMode": "", "IpcMode": "private", "UsernsMode": "",
            "SecurityOpt": ["no-new-privileges"], "Binds": ["/srv/models:/data:ro"], "Memory": 8 << 30, "PidsLimit": 256,
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8090"}]},
            "Devices": [{"PathOnHost": "/dev/nvidia0", "PathInContainer": "/dev/nvidia0"}],
            "DeviceRequests": [{"Driver": "nvidia", "Count": 0, "DeviceIDs": ["GPU-6c1f9b1e-0000-4000-8000-000000000000"]}]}
    config["Config"].update(kw.get("config", {}))
    config.update(kw.get("top", {}))
    host.update(kw.get("host", {}))
    d = "var/lib/docker/containers/%s/" % cid
    t[d + "config.v2.json"] = (json.dumps(config), 0o600)
    t[d + "hostconfig.json"] = (json.dumps(host), 0o600)
    return d


NFT = """table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        iifname "lo" accept
        tcp dport { 22, 8443 } accept
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
    }
    chain output {
        type filter hook output priority 0; policy drop;
        oifname "lo" accept
        ct state established,related accept
    }
}
"""


def accounts(t):
    lines = ["root:x:0:0:root:/root:/bin/bash", "www-data:x:33:33::/var/www:/usr/sbin/nologin",
             "alice:x:1000:1000::/home/alice:/bin/bash", "bob:x:1001:1001::/home/bob:/bin/bash"]
    lines += ["%s:x:%d:%d::/var/lib/%s:/usr/sbin/nologin" % (u, i, i, u) for u, i in USERS.items()]
    t["etc/passwd"] = ("\n".join(lines) + "\n", 0o644)
    t["etc/group"] = ("root:x:0:\nsudo:x:27:alice\ndocker:x:999:\n" + "".join("%s:x:%d:\n" % (u, i) for u, i in USERS.items()), 0o644)
    t["etc/shadow"] = ("root:*:19000::::::\nalice:$y$j9T$abcdefgh$ijklmnop:19000::::::\n", 0o600)
    t["etc/sudoers"] = ("root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n", 0o440)


def works(t):
    proc(t, 50, "bartizan", ["/usr/bin/bartizand", "/var/lib/bartizan/gw"])
    proc(t, 51, "www-data", ["nginx: worker process"], comm="nginx", exe="/usr/sbin/nginx", ports=[8443], addr="0.0.0.0")
    proc(t, 200, "ollama", ["/usr/local/bin/ollama", "serve"], ["OLLAMA_HOST=127.0.0.1:11434", "OLLAMA_ORIGINS=https://chat.example.org",
                                                                "HOME=/var/lib/ollama"], [11434])
    unit(t, "ollama", "ollama", "/usr/local/bin/ollama serve", ["OLLAMA_HOST=127.0.0.1:11434"])
    llama = ["/usr/local/bin/llama-server", "--host", "127.0.0.1", "--port", "8080", "--no-slots", "--api-key-file", "/etc/llama/key",
             "-m", "/srv/models/m.gguf", "--slot-save-path", "/run/llama/slots"]
    proc(t, 201, "llama", llama, [], [8080], maps=["/srv/models/m.gguf"], files=["/dev/nvidia0"])
    unit(t, "llama", "llama", " ".join(llama))
    vllm = ["/usr/bin/python3", "/opt/vllm/bin/vllm", "serve", "/srv/models/qwen2-vl", "--uds", "/run/vllm.sock",
            "--allowed-media-domains", "img.example.org"]
    env = ["VLLM_MEDIA_URL_ALLOW_REDIRECTS=0", "HF_HUB_OFFLINE=1", "PATH=/usr/local/bin:/usr/bin"]
    proc(t, 202, "vllm", vllm, env, exe="/usr/bin/python3.11")
    unit(t, "vllm", "vllm", " ".join(vllm), env)
    proc(t, 203, "qdrant", ["/usr/bin/qdrant"], [], [6333, 6334])
    unit(t, "qdrant", "qdrant", "/usr/bin/qdrant", ["QDRANT__SERVICE__HOST=127.0.0.1"])
    proc(t, 204, "webui", ["/opt/webui/bin/open-webui", "serve", "--host", "127.0.0.1", "--port", "3000"], ["WEBUI_AUTH=True"], [3000])
    unit(t, "webui", "webui", "/opt/webui/bin/open-webui serve --host 127.0.0.1 --port 3000", ["WEBUI_AUTH=True"])
    proc(t, 205, "sglang", ["/usr/bin/python3", "-m", "sglang.launch_server", "--host", "127.0.0.1"], ["HF_HUB_OFFLINE=1"], [30000],
         exe="/usr/bin/python3.11")
    proc(t, 206, "ray", ["/opt/ray/raylet"], [], [8265])
    proc(t, 207, "jupyter", ["/usr/bin/python3", "/usr/bin/jupyter-lab", "--ip", "127.0.0.1"], [], [8888], exe="/usr/bin/python3.11")
    proc(t, 208, "mlflow", ["/usr/bin/python3", "-m", "mlflow", "server", "--app-name", "basic-auth", "--host", "127.0.0.1"], [], [5000],
         exe="/usr/bin/python3.11")
    proc(t, 209, "triton", ["/opt/tritonserver/bin/tritonserver", "--model-control-mode=none", "--http-address=127.0.0.1"], [], [8001])
    proc(t, 210, "litellm", ["/usr/bin/python3", "/usr/bin/litellm", "--host", "127.0.0.1", "--config", "/etc/litellm/config.yaml"],
         [], [4000], exe="/usr/bin/python3.11")
    proc(t, 211, "openclaw", ["/usr/bin/node", "/usr/bin/openclaw", "--bind", "loopback"], [], [18789], exe="/usr/bin/node")
    proc(t, 212, "torch", ["/usr/bin/torchrun", "--master_addr", "127.0.0.1"], [], [29500])
    proc(t, 213, "claude", ["/usr/bin/node", "/usr/bin/claude"], [], exe="/usr/bin/node")
    for u in ("sglang", "ray", "jupyter", "mlflow", "triton", "litellm", "openclaw", "torch", "claude"):
        t["etc/systemd/system/%s.service" % u] = ("[Service]\nUser=%s\nExecStart=/opt/%s/start\n%s" % (u, u, SANDBOX), 0o644)
        t["sys/fs/cgroup/system.slice/%s.service/memory.max" % u] = ("1073741824\n", 0o644)
        t["sys/fs/cgroup/system.slice/%s.service/pids.max" % u] = ("256\n", 0o644)
    listen(t, "127.0.0.1", 5432, 5432, 26)
    container(t)


def models(t):
    good = gguf()
    t["srv/models/m.gguf"] = (good, 0o644)
    t["srv/models/SHA256SUMS"] = (hashlib.sha256(good).hexdigest() + "  m.gguf\n", 0o644)
    t["srv/models/LICENSE"] = ("Apache License\n", 0o644)
    t["srv/models/qwen2-vl/config.json"] = ('{"architectures": ["Qwen2VL"], "vision_config": {}}', 0o644)
    t["srv/models/qwen2-vl/LICENSE"] = ("Apache License\n", 0o644)
    head = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    t["srv/models/qwen2-vl/model.safetensors"] = (struct.pack("<Q", len(head)) + head + b"\0" * 4, 0o644)
    t["var/lib/ollama/.ollama/models/manifests/registry.ollama.ai/library/llama3/8b"] = ("{}", 0o644)
    t["var/lib/ollama/.ollama/id_ed25519"] = ("key", 0o600)
    t["var/lib/ollama/.ollama/history"] = ("hello\n", 0o600)
    t["usr/local/bin/ollama"] = (b"\x7fELF....-X=github.com/ollama/ollama/version.Version=0.17.1\"\0", 0o755)
    t["opt/llama.cpp/VERSION"] = ("b8146\n", 0o644)
    sp = "opt/venv/lib/python3.11/site-packages/"
    for n, v in (("vllm", "0.18.0"), ("litellm", "1.82.9"), ("mlflow", "3.10.0")):
        t[sp + "%s-%s.dist-info/METADATA" % (n, v)] = ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n\n" % (n, v), 0o644)
    t[sp + "distutils-precedence.pth"] = ("import os; var = 'SETUPTOOLS_USE_DISTUTILS'\n", 0o644)


def secrets_and_data(t):
    t["home/alice/.cache/huggingface/token"] = (HF, 0o600)
    t["home/alice/app/.env"] = ("OPENAI_API_KEY=%s\n" % SK, 0o600)
    t["home/alice/.bash_history"] = ("ls\n", 0o600)
    t["home/alice/.cursor/mcp.json"] = (json.dumps({"mcpServers": {"files": {"command": "mcp-server-files", "args": ["/srv/docs"]}}},
                                                   indent=1), 0o600)
    t["home/alice/.openclaw/openclaw.json"] = ('{"gateway": {"bind": "loopback", "auth": {"mode": "token"}}}', 0o600)
    t["home/alice/models/Modelfile"] = ("FROM /srv/models/m.gguf\nSYSTEM You are a helpful assistant.\n", 0o644)
    t["home/alice/.jupyter/jupyter_server_config.py"] = ("c.ServerApp.password_required = True\n", 0o600)
    t["etc/llama/key"] = ("x" * 40, 0o600)
    t["etc/qdrant/config.yaml"] = ("service:\n  api_key: %s\n" % ("q" + "7f3b9c2d8e1a4f6b"), 0o600)
    t["etc/litellm/config.yaml"] = ("general_settings:\n  master_key: os.environ/LITELLM_KEY\n", 0o600)
    t["run/llama/slots"] = ("DIR", 0o700)
    t["var/log/ollama/server.log"] = ("started\n", 0o640)
    t["etc/logrotate.d/ollama"] = ("/var/log/ollama/*.log {\n  weekly\n  rotate 8\n}\n", 0o644)
    t["proc/swaps"] = ("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/dm-1                               partition\t8\t0\t-2\n", 0o444)
    for i, n in enumerate(("root", "swap")):
        t["sys/block/dm-%d/dm/uuid" % i] = ("CRYPT-LUKS2-0123-%s\n" % n, 0o444)
        t["sys/block/dm-%d/dm/name" % i] = ("crypt%s\n" % n, 0o444)
    t["proc/mounts"] = ("/dev/mapper/cryptroot / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n", 0o444)


def host(t):
    t["etc/os-release"] = ('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', 0o644)
    t["etc/hostname"] = ("gpu1\n", 0o644)
    t["etc/nftables.conf"] = (NFT, 0o644)
    t["etc/nginx/conf.d/llm.conf"] = ("server {\n  ssl_protocols TLSv1.2 TLSv1.3;\n  location /api/chat {\n"
                                      "    proxy_pass http://127.0.0.1:11434;\n  }\n}\n", 0o644)
    t["etc/apt/apt.conf.d/20auto-upgrades"] = ('APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n', 0o644)
    t["etc/apt/sources.list"] = ("deb https://mirror.example/debian bookworm main\n", 0o644)
    packages = {"nvidia-container-toolkit": "1.17.8-1", "auditd": "1:3.0.9-1", "chrony": "4.3-2", "openssl": "3.0.17-1~deb12u2",
                "rsyslog": "8.2302.0-1"}
    t["var/lib/dpkg/status"] = ("".join("Package: %s\nStatus: install ok installed\nVersion: %s\n\n" % p for p in packages.items()), 0o644)
    t["var/lib/apt/lists/mirror.example_dists_bookworm-security_main_binary-amd64_Packages"] = (
        "Package: openssl\nVersion: 3.0.17-1~deb12u2\n\n", 0o644)
    t["etc/ssh/sshd_config"] = ("PermitRootLogin prohibit-password\nPasswordAuthentication no\n", 0o600)
    t["etc/systemd/system/multi-user.target.wants/chrony.service"] = "-> /lib/systemd/system/chrony.service"
    t["etc/docker/daemon.json"] = ('{"icc": false}', 0o644)
    t["run/docker.sock"] = ("", 0o660)
    t["dev/nvidia0"] = ("", 0o660)
    t["dev/dri/renderD128"] = ("", 0o660)
    t["run/nvidia-mps"] = ("DIR", 0o700)
    t["proc/driver/nvidia/version"] = ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  610.40.02  Tue Nov 3 2026\n", 0o444)
    t["etc/nvidia-container-runtime/config.toml"] = (
        'accept-nvidia-visible-devices-envvar-when-unprivileged = false\n[nvidia-container-runtime]\nmode = "cdi"\n', 0o644)
    sysctl = {"kernel/yama/ptrace_scope": 1, "kernel/unprivileged_bpf_disabled": 2, "kernel/kptr_restrict": 1,
              "kernel/unprivileged_userns_clone": 0, "user/max_user_namespaces": 1000, "kernel/core_pattern": "|/bin/false",
              "kernel/randomize_va_space": 2, "kernel/dmesg_restrict": 1, "fs/suid_dumpable": 0, "fs/protected_hardlinks": 1,
              "fs/protected_symlinks": 1, "net/ipv4/tcp_syncookies": 1, "net/ipv4/conf/all/accept_redirects": 0,
              "net/ipv4/ip_forward": 1}
    for k, v in sysctl.items():
        t["proc/sys/" + k] = ("%s\n" % v, 0o644)
    t["proc/sys/kernel/seccomp/actions_avail"] = ("kill_process errno allow\n", 0o444)
    t["proc/cmdline"] = ("root=/dev/mapper/cryptroot ro\n", 0o444)
    t["sys/kernel/security/lsm"] = ("lockdown,capability,landlock,yama,apparmor,bpf", 0o444)
    t["sys/devices/system/cpu/vulnerabilities/meltdown"] = ("Not affected\n", 0o444)
    for d in ("etc", "usr/local/bin", "etc/cron.d"):
        t.setdefault(d, ("DIR", 0o755))


CONFIG = """version: 1
listen: 127.0.0.1:8443
backends:
  - {name: ollama, type: ollama, url: "http://127.0.0.1:11434"}
  - {name: llama, type: llama.cpp, url: "http://127.0.0.1:8080"}
  - {name: vllm, type: vllm, url: "unix:/run/vllm.sock"}
  - {name: sglang, type: openai, url: "http://127.0.0.1:30000"}
  - {name: triton, type: openai, url: "http://127.0.0.1:8001"}
"""


def instance(t):
    i = "var/lib/bartizan/gw/"
    t[i + "bartizan.yaml"] = (CONFIG, 0o600)
    t[i + "run/bartizan.yaml.good"] = (CONFIG, 0o600)
    t[i + "secrets"] = ("DIR", 0o700)
    t[i + "secrets/master.key"] = (b"k" * 32, 0o600)
    t[i + "posture/drill.json"] = ('{"ok":true,"drill":true,"contents":true}\n', 0o600)
    t["var/backups/bartizan/full.bzb"] = (b"bzb", 0o600)
    # Only the gateway's account may connect to what listens on loopback.
    rules = "".join("        tcp dport %d meta skuid != %d reject\n" % (p, USERS["bartizan"]) for p in (11434, 30000, 8001))
    t["etc/nftables.conf"] = (NFT.replace('        oifname "lo" accept\n        ct state established,related accept\n    }\n}',
                                          rules + '        oifname "lo" accept\n    }\n}'), 0o644)


def good():
    t = {}
    accounts(t)
    host(t)
    works(t)
    models(t)
    secrets_and_data(t)
    instance(t)
    return t


# ---- what spoils a check -----------------------------------------------------------------------------------------------

def put(path, content, mode=0o644):
    return lambda t: t.__setitem__(path, (content, mode))


def mode(path, bits):
    return lambda t: t.__setitem__(path, (t[path][0], bits))


def swap(path, old, new):
    def change(t):
        text, bits = t[path]
        assert old in text, (path, old)
        t[path] = (text.replace(old, new), bits)
    return change


def gone(*paths):
    def change(t):
        for p in [q for q in t if any(q == x or q.startswith(x + "/") for x in paths)]:
            del t[p]
    return change


def all_of(*changes):
    def change(t):
        for c in changes:
            c(t)
    return change


def args(pid, *more):
    def change(t):
        text, bits = t["proc/%d/cmdline" % pid]
        t["proc/%d/cmdline" % pid] = (text + b"".join(m.encode() + b"\0" for m in more), bits)
    return change


def env(pid, *more):
    def change(t):
        text, bits = t["proc/%d/environ" % pid]
        t["proc/%d/environ" % pid] = (text + b"".join(m.encode() + b"\0" for m in more), bits)
    return change


def status(pid, old, new):
    return swap("proc/%d/status" % pid, old, new)


def opens(port, addr="0.0.0.0"):
    return lambda t: listen(t, addr, port, 999000 + port)


def drop(pid, word, n=1):
    """Takes an argument, and n - 1 behind it, out of a command line."""
    def change(t):
        words = t["proc/%d/cmdline" % pid][0].split(b"\0")
        i = words.index(word.encode())
        del words[i:i + n]
        t["proc/%d/cmdline" % pid] = (b"\0".join(words), 0o444)
    return change


def process(*a, **kw):
    return lambda t: proc(t, *a, **kw)


def ctr(**kw):
    name = "c%d" % next(NUMBERS)
    return lambda t: container(t, name, **kw)


def tcp(old, new):
    """Moves a listener of the good tree."""
    def word(addr, port):
        return "%s:%04X" % ("".join("%02X" % int(x) for x in reversed(addr.split("."))), port)
    return swap("proc/net/tcp", word(*old), word(*new))


def older(*paths):
    def change(t):
        for p in paths:
            t[p] = (t[p][0], t[p][1], time.time() - 400 * DAY)
    return change


SP = "opt/venv/lib/python3.11/site-packages/"
DIST = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n\n"
LOOP, ALL = "127.0.0.1", "0.0.0.0"

# id -> one or more ways to spoil it; each alone must be found
BAD = {
    "A01": [tcp((LOOP, 11434), (ALL, 11434)), swap("etc/systemd/system/ollama.service", "OLLAMA_HOST=127.0.0.1:11434", "OLLAMA_HOST=0.0.0.0"),
            lambda t: listen6(t, 11434)],
    "A02": [env(200, "OLLAMA_ORIGINS=*"),
            swap("etc/systemd/system/ollama.service", "[Install]", 'Environment="OLLAMA_ORIGINS=http://evil.example"\n[Install]')],
    "A03": [swap("etc/nginx/conf.d/llm.conf", "location /api/chat", "location /"), swap("etc/nginx/conf.d/llm.conf", "/api/chat", "/api/"),
            put("etc/caddy/Caddyfile", "ai.example {\n reverse_proxy 127.0.0.1:11434\n}\n")],
    "A04": [tcp((LOOP, 8080), (ALL, 8080)), drop(201, "--api-key-file", 2)],
    "A05": [args(201, "--slots"), args(201, "--props"), args(201, "--metrics")],
    "A06": [opens(50052, LOOP), process(300, "llama", ["/usr/local/bin/rpc-server", "-p", "50052"])],
    "A07": [all_of(drop(202, "--uds", 2), opens(8000)), all_of(drop(202, "--uds", 2), args(202, "--host", ALL)),
            swap("etc/systemd/system/vllm.service", "--uds /run/vllm.sock", "")],
    "A08": [all_of(drop(202, "--uds", 2), args(202, "--host", LOOP)),
            all_of(drop(202, "--uds", 2), args(202, "--host", ALL, "--api-key", "k" * 20))],
    "A09": [env(202, "VLLM_SERVER_DEV_MODE=1"), args(202, "--enable-tokenizer-info-endpoint"), env(202, "VLLM_TORCH_PROFILER_DIR=/tmp/p")],
    "A10": [drop(202, "--allowed-media-domains", 2), env(202, "VLLM_MEDIA_URL_ALLOW_REDIRECTS=1")],
    "A11": [tcp((LOOP, 29500), (ALL, 29500)), process(301, "vllm", ["VLLM::EngineCore"], [], [45555], addr=ALL)],
    "A12": [tcp((LOOP, 30000), (ALL, 30000)), opens(1234), opens(4891), opens(5001),
            process(302, "alice", ["/opt/localai/local-ai"], [], [8099], addr=ALL)],
    "A13": [all_of(gone("proc/206/fd"), opens(6379)), tcp((LOOP, 8265), (ALL, 8265)), opens(10001), process(303, "ray", ["/usr/bin/python3", "-m", "ray", "--dashboard-host=0.0.0.0"])],
    "A14": [args(207, "--allow-root"), args(207, "--ServerApp.token="), tcp((LOOP, 8888), (ALL, 8888)),
            put("home/alice/.jupyter/jupyter_server_config.py", "c.ServerApp.token = ''\n", 0o600),
            put("home/alice/.jupyter/jupyter_server_config.json", '{\n "ServerApp": {\n  "allow_origin": "*"\n }\n}\n', 0o600)],
    "A15": [drop(208, "--app-name", 2), env(208, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=true"), tcp((LOOP, 5000), (ALL, 5000)),
            put(SP + "mlflow-3.10.0.dist-info/METADATA", DIST % ("mlflow", "3.9.1"))],
    "A16": [tcp((LOOP, 8001), (ALL, 8001)), args(209, "--model-control-mode=explicit"),
            all_of(drop(209, "--model-control-mode=none"), args(209, "--model-control-mode", "poll"))],
    "A17": [tcp((LOOP, 6333), (ALL, 6333)), gone("etc/qdrant"),
            process(304, "qdrant", ["/usr/bin/weaviate", "--host", LOOP], ["AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED=true"])],
    "A18": [env(204, "WEBUI_AUTH=False"), tcp((LOOP, 3000), (ALL, 3000)), tcp((LOOP, 4000), (ALL, 4000)),
            put("etc/litellm/config.yaml", "general_settings:\n  master_key: sk-1234\n", 0o600),
            put("etc/litellm/config.yaml", "model_list: []\n", 0o600), opens(8188)],
    "A19": [tcp((LOOP, 18789), (ALL, 18789)), swap("home/alice/.openclaw/openclaw.json", "loopback", "lan"),
            process(305, "alice", ["/usr/bin/python3", "/usr/bin/mcp-server-files", "--host", ALL], exe="/usr/bin/python3")],
    "A20": [ctr(host={"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8091"}]}}),
            put("srv/chat/docker-compose.yml", "services:\n  ollama:\n    image: ollama/ollama@sha256:%s\n    user: \"1000\"\n    ports:\n"
                '      - "11434:11434"\n' % ("cd" * 32))],
    "A21": [swap("etc/nftables.conf", "hook input priority 0; policy drop", "hook input priority 0; policy accept"), gone("etc/nftables.conf")],
    "A22": [all_of(swap("etc/nftables.conf", "hook output priority 0; policy drop", "hook output priority 0; policy accept"),
                   swap("etc/systemd/system/ollama.service", "IPAddressDeny=any\n", ""))],
    "A23": [all_of(swap("etc/nftables.conf", "hook output priority 0; policy drop", "hook output priority 0; policy accept"),
                   swap("etc/systemd/system/llama.service", "IPAddressDeny=any\n", ""))],
    "A24": [tcp((LOOP, 11434), (ALL, 11434)), swap("etc/nginx/conf.d/llm.conf", "TLSv1.2", "TLSv1 TLSv1.2")],
    "B01": [status(200, "Uid:\t990\t990", "Uid:\t0\t0"), swap("etc/systemd/system/llama.service", "User=llama\n", ""),
            ctr(config={"User": ""})],
    "B02": [status(203, "Uid:\t993\t993", "Uid:\t990\t990"), swap("etc/systemd/system/qdrant.service", "User=qdrant", "User=ollama")],
    "B03": [status(200, "NoNewPrivs:\t1", "NoNewPrivs:\t0"), status(200, "Seccomp:\t2", "Seccomp:\t0"),
            status(201, "CapEff:\t0000000000000000", "CapEff:\t00000000a80425fb")],
    "B04": [lambda t: unit(t, "ollama", "ollama", "/usr/local/bin/ollama serve", more="MemoryMax=1G\nTasksMax=9\nLimitNOFILE=9\n")],
    "B05": [ctr(host={"Privileged": True}), ctr(host={"CapAdd": ["SYS_ADMIN"]}), ctr(host={"NetworkMode": "host"}),
            ctr(host={"PidMode": "host"}), ctr(host={"IpcMode": "host"}), ctr(host={"SecurityOpt": ["seccomp=unconfined"]}),
            ctr(config={"User": "root"})],
    "B06": [ctr(host={"Binds": ["/var/run/docker.sock:/var/run/docker.sock"]}), mode("run/docker.sock", 0o666)],
    "B07": [swap("etc/group", "docker:x:999:", "docker:x:999:ollama"), put("etc/sudoers.d/ai", "vllm ALL=(ALL) NOPASSWD: ALL\n", 0o440)],
    "B08": [all_of(env(202, "PYTHONPATH=/opt/shared"), put("opt/shared", "DIR", 0o777)),
            put(SP + "zz_init.pth", "import base64,subprocess;exec(base64.b64decode('cHJpbnQoMSk='))\n")],
    "B09": [swap("etc/systemd/system/ollama.service", "MemoryMax=32G\n", ""), swap("etc/systemd/system/ollama.service", "TasksMax=512\n", ""),
            swap("etc/systemd/system/ollama.service", "LimitNOFILE=65536\n", ""), ctr(host={"Memory": 0})],
    "B10": [swap("etc/passwd", "/var/lib/ollama:/usr/sbin/nologin", "/var/lib/ollama:/bin/bash")],
    "B11": [put("proc/sys/kernel/yama/ptrace_scope", "0\n"), gone("proc/sys/kernel/yama"), put("proc/sys/kernel/unprivileged_bpf_disabled", "0\n"),
            put("proc/sys/kernel/kptr_restrict", "0\n")],
    "B12": [put("sys/kernel/security/lsm", "capability,yama,apparmor"), put("proc/sys/user/max_user_namespaces", "0\n")],
    "C01": [mode("dev/nvidia0", 0o666), put("dev/nvidia-uvm", "", 0o666), put("etc/modprobe.d/nvidia.conf", "options nvidia NVreg_DeviceFileMode=0666\n")],
    "C02": [mode("dev/dri/renderD128", 0o666), put("dev/kfd", "", 0o666)],
    "C03": [ctr(host={"Devices": [{"PathOnHost": "/dev/nvidia-modeset"}]}), ctr(host={"Devices": [{"PathOnHost": "/dev/nvidia-uvm-tools"}]}),
            ctr(host={"Devices": [{"PathOnHost": "/dev/dri/card0"}]})],
    "C04": [swap("var/lib/dpkg/status", "1.17.8-1", "1.17.7-1"), swap("var/lib/dpkg/status", "1.17.8-1", "1.17.8~rc.1-1")],
    "C05": [all_of(swap("var/lib/dpkg/status", "1.17.8-1", "1.17.4-1"),
                   swap("etc/nvidia-container-runtime/config.toml", '"cdi"', '"legacy"'))],
    "C06": [swap("proc/driver/nvidia/version", "610.40.02", "550.54.14"), swap("proc/driver/nvidia/version", "610.40.02", "580.95.05")],
    "C07": [ctr(config={"Env": ["NVIDIA_VISIBLE_DEVICES=all"]}), ctr(host={"DeviceRequests": [{"Driver": "nvidia", "Count": -1}]}),
            swap("etc/nvidia-container-runtime/config.toml", "= false", "= true")],
    "C08": [mode("run/nvidia-mps", 0o777), put("tmp/nvidia-mps/control", "", 0o666)],
    "C09": [process(306, "vllm", ["/usr/bin/python3", "train.py"], files=["/dev/nvidia0"], exe="/usr/bin/python3"),
            ctr(host={"DeviceRequests": [{"Driver": "nvidia", "DeviceIDs": ["GPU-6c1f9b1e-0000-4000-8000-000000000000"]}]})],
    "D01": [mode("srv/models/m.gguf", 0o666), put("srv/models", "DIR", 0o777), put("srv", "DIR", 0o777)],
    "D02": [put("srv/models/SHA256SUMS", "0" * 64 + "  m.gguf\n"), put("srv/models/SHA256SUMS", "0" * 64 + "  other.gguf\n"),
            all_of(swap("proc/201/maps", "/srv/models/m.gguf", "/tmp/m.gguf"))],
    "D03": [all_of(put("data/qwen/pytorch_model-00001-of-2.bin", b"\x80\x02}q\0."), put("data/qwen/config.json", "{}")),
            put("srv/models/a.bin", b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix."), put("srv/models/x.ckpt", b"PK\x03\x04" + b"\0" * 22 + b"\x10\0\0\0archive/data.pkl"),
            put("srv/models/plain", b"\x80\x02}q\0."), put("srv/models/m.joblib", b"joblib")],
    "D04": [args(202, "--trust-remote-code"), put(SP + "vllm-0.18.0.dist-info/METADATA", DIST % ("vllm", "0.11.0")),
            all_of(put("srv/models/qwen2-vl/config.json", '{"auto_map": {"AutoModel": "modeling_x.X"}}'),
                   put("srv/models/qwen2-vl/modeling_x.py", "import os\n"))],
    "D05": [put("srv/models/z.gguf", gguf(bad=True)), put("srv/models/z.gguf", b"not a model at all")],
    "D06": [lambda t: t.__setitem__("var/lib/dpkg/status", (t["var/lib/dpkg/status"][0] +
                                                            "Package: ollama\nStatus: install ok installed\nVersion: 0.17.0-1\n\n", 0o644)),
            swap("usr/local/bin/ollama", b"0.17.1", b"0.17.0"), swap("usr/local/bin/ollama", b"0.17.1", b"0.17.1-rc1"),
            ctr(config={"Image": "ollama/ollama:0.5.7"}, top={"Path": "ollama"})],
    "D07": [put("opt/llama.cpp/VERSION", "b8145\n"), ctr(config={"Image": "ghcr.io/ggml-org/llama.cpp:server-b6000"}, top={"Path": "/app/llama-server"})],
    "D08": [put(SP + "litellm-1.82.9.dist-info/METADATA", DIST % ("litellm", "1.82.7")), put(SP + "litellm_init.pth", "x\n")],
    "D09": [ctr(config={"Image": "vllm/vllm-openai:latest"}), ctr(config={"Image": "ollama/ollama"}),
            put("home/alice/models/Modelfile", "FROM llama3\n")],
    "D10": [all_of(gone("srv/models/LICENSE"), put("srv/models/m2.gguf", gguf(licence=None))),
            all_of(gone("srv/models/LICENSE"), put("srv/models/m2.gguf", gguf(licence="cc-by-nc-4.0")))],
    "D11": [lambda t: t.__setitem__("proc/202/environ", (t["proc/202/environ"][0].replace(b"HF_HUB_OFFLINE=1", b"HF_HUB_OFFLINE=0"), 0o400))],
    "D12": [put("var/lib/ollama/.ollama/models/manifests/evil.example/x/y/1", "{}")],
    "E01": [mode("home/alice/.cache/huggingface/token", 0o644)],
    "E02": [env(202, "HF_TOKEN=" + HF), env(200, "AWS_SECRET_ACCESS_KEY=wJalr7xUtnF3MIK7MDENGbPxRfiCYzQ9Lm2")],
    "E03": [args(201, "--api-key", "s3cr3t-of-the-house"), args(202, "--hf-token=" + HF)],
    "E04": [mode("home/alice/app/.env", 0o644), put("home/alice/.cursor/mcp.json", '{"mcpServers": {"x": {"env": {\n"GITHUB_TOKEN": "%s"\n}}}}'
                                                    % ("ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"), 0o644)],
    "E05": [mode("var/lib/ollama/.ollama/id_ed25519", 0o644)],
    "E06": [put("home/alice/models/Modelfile", "FROM /srv/models/m.gguf\nSYSTEM Use the key %s for the shop.\n" % SK),
            put("srv/prompts/system_prompt.txt", "api_key: %s\n" % SK)],
    "E07": [all_of(swap("etc/systemd/system/vllm.service", "[Install]", "Environment=SHOP_API_KEY=%s\n[Install]" % SK),
                   swap("etc/systemd/system/webui.service", "[Install]", "Environment=OPENAI_API_KEY=%s\n[Install]" % SK))],
    "F01": [mode("var/lib/ollama/.ollama/history", 0o644), args(202, "--enable-log-requests"), put("srv/webui/webui.db", b"SQLite", 0o644)],
    "F02": [all_of(put("proc/sys/kernel/core_pattern", "core\n"), swap("proc/200/limits", "0                    0 ", "unlimited            unlimited "))],
    "F03": [all_of(swap("proc/swaps", "/dev/dm-1", "/dev/sda2"), swap("etc/systemd/system/ollama.service", "MemorySwapMax=0\n", ""))],
    "F04": [mode("run/llama/slots", 0o755)],
    "F05": [swap("proc/mounts", "/dev/mapper/cryptroot", "/dev/sda1")],
    "F06": [gone("var/backups"), older("var/backups/bartizan/full.bzb"), older("var/lib/bartizan/gw/posture/drill.json")],
    "F07": [mode("var/log/ollama/server.log", 0o644), gone("etc/logrotate.d"), swap("etc/logrotate.d/ollama", "rotate 8", "rotate 520")],
    "G01": [put("run/reboot-required", ""), swap("etc/os-release", '"12"', '"10"'),
            swap("var/lib/apt/lists/mirror.example_dists_bookworm-security_main_binary-amd64_Packages", "deb12u2", "deb12u3")],
    "G02": [gone("etc/apt/apt.conf.d"), swap("etc/apt/apt.conf.d/20auto-upgrades", 'Unattended-Upgrade "1"', 'Unattended-Upgrade "0"')],
    "G03": [swap("var/lib/dpkg/status", "Package: auditd", "Package: other")],
    "G04": [all_of(swap("var/lib/dpkg/status", "Package: chrony", "Package: other"), gone("etc/systemd/system/multi-user.target.wants"))],
    "G05": [swap("var/lib/bartizan/gw/bartizan.yaml", "127.0.0.1:8443", "0.0.0.0:8443"),
            put("var/lib/bartizan/gw/posture/manifest", "0" * 64 + "  bartizan.yaml\n", 0o600),
            lambda t: t.__setitem__("proc/50/exe", "-> /usr/bin/bartizand (deleted)")],
    "G06": [process(307, "alice", ["/home/alice/llama/llama-server"], [], [9099]),
            process(308, "alice", ["/tmp/.x/kworker"], files=["/srv/models/m.gguf"]),
            process(309, "alice", ["/opt/miner/m"], files=["/dev/nvidia0"])],
    "G07": [swap("etc/nftables.conf", "tcp dport 11434 meta skuid != 995 reject\n", "")],
    "G08": [swap("etc/ssh/sshd_config", "prohibit-password", "yes"), swap("etc/ssh/sshd_config", "Authentication no", "Authentication yes"),
            put("etc/ssh/sshd_config", "Port 22\n", 0o600)],
    "H01": [opens(23), opens(111)],
    "H02": [tcp((LOOP, 5432), (ALL, 5432)), opens(27017)],
    "H03": [put("etc/docker/daemon.json", '{"hosts": ["tcp://0.0.0.0:2375"]}'), opens(2375)],
    "H04": [put("proc/sys/net/ipv4/conf/all/accept_redirects", "1\n"), put("proc/sys/net/ipv4/tcp_syncookies", "0\n")],
    "H05": [put("proc/sys/kernel/randomize_va_space", "0\n"), put("proc/sys/fs/suid_dumpable", "2\n")],
    "H06": [all_of(put("sys/kernel/security/lsm", "capability,landlock,yama"), put("sys/module/apparmor/parameters/enabled", "N\n")),
            put("etc/selinux/config", "#\nSELINUX=disabled\n")],
    "H07": [put("sys/devices/system/cpu/vulnerabilities/meltdown", "Vulnerable\n"), put("proc/cmdline", "ro mitigations=off\n")],
    "H08": [swap("etc/shadow", "alice:$y$j9T$abcdefgh$ijklmnop", "alice:"), swap("etc/passwd", "alice:x:1000", "alice:x:0")],
    "H09": [swap("etc/apt/sources.list", "deb https", "deb [trusted=yes] https"), put("etc/pip.conf", "[global]\ntrusted-host = pypi.example\n")],
    "H10": [all_of(swap("var/lib/dpkg/status", "Package: rsyslog", "Package: other"),
                   put("etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n"))],
    "H11": [swap("etc/nftables.conf", "hook forward priority 0; policy drop", "hook forward priority 0; policy accept")],
    "H12": [args(213, "--dangerously-skip-permissions"), put("home/alice/.codex/config.toml", 'approval_policy = "never"\n', 0o600)],
    "H13": [put("home/alice/.cursor/mcp.json", '{"mcpServers": {"x": {"command": "npx",\n "args": ["-y", "some-mcp@latest"]}}}', 0o600)],
    "H14": [mode("var/lib/bartizan/gw/secrets/master.key", 0o644), mode("var/lib/bartizan/gw/secrets", 0o755)],
    "H15": [put("home/alice/.bash_history", "export OPENAI_API_KEY=%s\n" % SK, 0o600)],
    "H16": [put("usr/local/bin", "DIR", 0o777)],
}


def build(root, tree):
    """Writes a tree. Folders get their modes last, so that all can be written as an ordinary account too."""
    root = pathlib.Path(root)
    folders = []
    for path in sorted(tree):
        entry, at = tree[path], root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry, str):
            os.symlink(entry[3:], at)
        elif entry[0] == "DIR":
            at.mkdir(exist_ok=True)
            folders.append((at, entry[1]))
        else:
            at.write_bytes(entry[0] if isinstance(entry[0], bytes) else entry[0].encode())
            os.chmod(at, entry[1])
            if len(entry) > 2:
                os.utime(at, (entry[2], entry[2]))
    for at, bits in reversed(folders):
        os.chmod(at, bits)
    return root


def all_bad():
    """One tree in which every check fails. A way that does not go any more was taken by an earlier one."""
    t = good()
    first = ["C05", "F03"] # whose files others replace
    second = {"B02": 1, "B09": 3, "B12": 1} # others undo their first way
    for name in first + sorted(BAD.keys() - set(first)):
        for way in BAD[name][second.get(name, 0):]:
            before = dict(t)
            try:
                way(t)
                break
            except (AssertionError, KeyError, ValueError):
                t.clear()
                t.update(before)
    return t
