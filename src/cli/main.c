/* bartizan: the command line. */
#include <stdio.h>

#include "commands.h"
#include "opts.h"
#include "scan_command.h"

static const struct bz_command commands[] = {
    {"init", "make a new instance directory: CA, certificate, keys, bartizan.yaml", bz_cli_init},
    {"up", "start an instance and keep it running", bz_cli_up},
    {"down", "stop a running instance", bz_cli_down},
    {"reload", "load bartizan.yaml again without a restart", bz_cli_reload},
    {"status", "show what runs, which backends answer, which policy is in force", bz_cli_status},
    {"user", "add, list, disable, enable users", bz_cli_user},
    {"key", "create, list, revoke, rotate API keys", bz_cli_key},
    {"policy", "check a configuration, explain what it decides", bz_cli_policy},
    {"prompt", "system prompts: versions, signatures", bz_cli_prompt},
    {"model", "models: registry, approval, signatures", bz_cli_model},
    {"mcp", "tools of MCP servers: list, show, diff, approve, revoke", bz_cli_mcp},
    {"scan", "look into model files and folders: what runs code, leads out, or is malformed",
     bz_cli_scan},
    {"audit", "read, verify and prove the audit log", bz_cli_audit},
    {"dlp", "find and mask secrets and personal data in files", bz_cli_dlp},
    {"guard", "judge texts that may steer a model; list and test the rules", bz_cli_guard},
    {"data", "stored requests and replies: export, erase, hold, retention", bz_cli_data},
    {"master", "what opens the master key: file, passphrase, credential, TPM", bz_cli_master},
    {"sandbox", "run a model server in a cage, and try to get out of it", bz_cli_sandbox},
    {"posture", "audit this host and the AI stack on it; fix what is safe to fix", bz_cli_posture},
    {"inventory", "packages, model servers, drivers, models: list, SBOM, licences",
     bz_cli_inventory},
    {"advisory", "known vulnerabilities: take advisories, match, virtual patches", bz_cli_advisory},
    {"redteam", "attack a policy, live or offline; measure what passes", bz_cli_redteam},
    {"backup", "encrypted backups: create, verify, restore, drill", bz_cli_backup},
};

static void print_commands(const char *group, const struct bz_command *list, size_t n) {
    char text[256];
    (void)printf("usage: %s COMMAND ...\n\ncommands:\n", group);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text, sizeof text, "  %s ", list[i].name);
        bz_print_beside(text, 13, list[i].summary);
    }
    (void)putchar('\n');
    (void)snprintf(
        text, sizeof text, "'%s COMMAND --help' tells more.%s", group,
        strcmp(group, "bartizan") == 0 ? " Every command that prints something knows --json." : "");
    bz_print_beside("", 0, text);
    if (strcmp(group, "bartizan") == 0)
        bz_print_beside(
            "", 0, "Exit codes: 0 clean, 1 findings, 2 usage or failure, 3 could not be checked.");
}

static int unknown(const char *group, const struct bz_command *list, size_t n, const char *word) {
    const char *names[32];
    size_t k = 0;
    for (; k < n && k < 32; k++)
        names[k] = list[k].name;
    const char *near = bz_nearest(word, names, k);
    if (near != NULL)
        bz_say("unknown command '%s'; did you mean '%s %s'?", bz_safe(word), group, near);
    else
        bz_say("unknown command '%s'; '%s --help' lists them", bz_safe(word), group);
    return BZ_EXIT_FAILURE;
}

int bz_cli_dispatch(const char *group, const struct bz_command *list, size_t n, int argc,
                    char **argv) {
    if (argc < 2) {
        print_commands(group, list, n);
        return BZ_EXIT_FAILURE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_commands(group, list, n);
        return BZ_EXIT_OK;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(argv[1], list[i].name) == 0)
            return list[i].run(argc - 1, argv + 1);
    }
    return unknown(group, list, n, argv[1]);
}

int main(int argc, char **argv) {
    if (bz_crypto_init() != BZ_OK) {
        bz_say("the cryptographic library could not be started");
        return BZ_EXIT_FAILURE;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("bartizan %s\n", BZ_VERSION);
        return BZ_EXIT_OK;
    }
    return bz_cli_dispatch("bartizan", commands, sizeof commands / sizeof commands[0], argc, argv);
}
