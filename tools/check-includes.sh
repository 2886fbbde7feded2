#!/bin/sh
# The floors of the house, kept true over #include: a room sees only the rooms named for it below.
# Prints file:line for every arrow that goes up or sideways; exit 1 if there is one.
set -eu
cd "$(dirname "$0")/.."

# shellcheck disable=SC2016 # the dollars are awk's
find src include/bartizan -name '*.[ch]' | LC_ALL=C sort | xargs awk '
function allow(room, list,    i, n, names) {
    n = split(list, names, " ")
    known[room] = 1
    may[room, room] = 1
    may[room, "base"] = 1
    for (i = 1; i <= n; i++)
        may[room, names[i]] = 1
}
function owner(header) { # the room of include/bartizan/HEADER.h
    return header in home ? home[header] : header
}
function bad(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    failed = 1
}
BEGIN {
    n = split("status view buf rd arena json number text host html sarif crypto limits", base, " ")
    for (i = 1; i <= n; i++)
        home[base[i]] = "base"
    home["state"] = "policy"
    home["egress"] = home["containers"] = "sandbox"
    home["fields"] = "dialect"
    home["bodystore"] = "store"
    home["modelstore"] = "store"
    home["mcpstore"] = "store"
    home["signature"] = "registry"
    allow("base", "")
    allow("schema", "") # below the rooms that hold values against schemas
    allow("agent", "schema")
    allow("mcp", "schema")
    n = split("injection leak prompts agent mcp dialect detect vault backup bodies audit artifact advisory inventory dataset sandbox posture store", second, " ")
    for (i = 1; i <= n; i++)
        allow(second[i], "")
    allow("policy", "detect dialect injection leak prompts agent mcp")
    allow("identity", "store policy") # policy owns struct bz_key_record
    allow("registry", "store artifact audit inventory") # audit: proofs and hashes of logs; inventory: licences, fields of SBOMs
    allow("redteam", "detect injection leak")
    allow("monitor", "audit")
    allow("gateway", "schema injection leak prompts agent mcp dialect detect vault bodies policy audit")
    allow("instance", "audit advisory policy vault")
    below = "schema injection leak prompts agent mcp dialect detect vault backup bodies audit artifact advisory inventory dataset sandbox posture store policy identity registry"
    below = below " redteam monitor gateway instance incident training compliance"
    n = split("nginx auditd daemon cli", top, " ")
    for (i = 1; i <= n; i++) {
        allow(top[i], below)
        is_top[top[i]] = 1
    }
    allow("incident", "")
    allow("training", "")
    allow("compliance", "")
    # Engine rooms: no I/O, threads, clocks, processes; cryptography through bartizan/crypto.h.
    n = split("base schema injection leak prompts agent mcp redteam dialect detect vault backup bodies policy gateway artifact advisory inventory monitor", pure, " ")
    for (i = 1; i <= n; i++)
        engine[pure[i]] = 1
    impure = "^(sys/(socket|stat|wait|epoll|un|file|ioctl|prctl)|netdb|pthread|threads|fcntl|poll"
    impure = impure "|time|unistd|signal|dirent|spawn|syslog|sqlite3|microhttpd|curl/.*|openssl/.*)[.]h$"
}
FNR == 1 {
    split(FILENAME, part, "/")
    room = part[1] == "src" ? part[2] : part[3]
    if (part[1] != "src") {
        sub(/[.]h$/, "", room)
        room = owner(room)
    }
    if (!(room in known))
        bad("room " room " has no floor; give it one in tools/check-includes.sh")
}
match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]*[>"]/) {
    name = substr($0, RSTART, RLENGTH)
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"]$/, "", name)
    if (name ~ /^bartizan\//) {
        header = name
        sub(/^bartizan\//, "", header)
        sub(/[.]h$/, "", header)
        target = owner(header)
        if (target in is_top)
            bad("nothing includes the top floor: " name)
        else if (!((room, target) in may))
            bad("room " room " must not know room " target ": " name)
    } else if ($0 ~ /"/ && name ~ /\//) {
        bad("private headers stay in their room: " name)
    } else if (name == "sodium.h" && FILENAME !~ /^src\/base\/crypto(_body)?[.]c$/) {
        bad("only src/base/crypto*.c call libsodium")
    } else if (room in engine && name ~ impure && FILENAME !~ /^src\/base\/crypto(_body|_sha)?[.]c$/) {
        bad("room " room " is pure: " name)
    }
}
END { exit failed }
' || exit 1
