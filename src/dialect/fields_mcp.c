/* Messages of MCP. What a server says is a tool's result, whatever member it stands in; a member that no row
 * names is text too. Arguments of tools leave the house as texts of the assistant. */
#include "fields_rows.h"

static const struct field_row params_rows[] = {
    TEXT("name", META),
    JSON("arguments", ASSISTANT),
    TEXT("uri", ASSISTANT),
    JSON("ref", USER),
    JSON("argument", USER),
    JSON("context", USER),
    TEXT("cursor", META),
    DATA("protocolVersion"),
    JSON("capabilities", META),
    JSON("clientInfo", META),
    JSON("_meta", META),
    TEXT("level", META),
    TEXT("requestId", META),
    TEXT("reason", USER),
    TEXT("progressToken", META),
    DATA("progress"),
    DATA("total"),
    TEXT("message", USER),
};
static const struct field_set params = FIELD_SET(params_rows);
static const struct field_row request_rows[] = {
    DATA("jsonrpc"),      {FIELD("id", BZ_FIELD_TEXT, META), .numbers = true},
    DATA("method"),       OBJ("params", &params),
    JSON("result", USER), JSON("error", USER),
};
static const struct field_set request = FIELD_SET(request_rows);
const struct field_row bz_fields_mcp_request = OBJ("", &request);

/* ---- what servers say ---- */

static const struct field_row resource_rows[] = {
    TEXT("uri", TOOL),         TEXT("text", TOOL), MEDIA("blob"),
    TEXT("mimeType", META),    TEXT("name", TOOL), TEXT("title", TOOL),
    TEXT("description", TOOL), DATA("size"),       JSON("annotations", META),
    JSON("_meta", META),
};
static const struct field_set resource = FIELD_SET(resource_rows);
static const struct field_row content_rows[] = {
    DATA("type"),           TEXT("text", TOOL),         MEDIA("data"),
    TEXT("mimeType", META), OBJ("resource", &resource), TEXT("uri", TOOL),
    TEXT("name", TOOL),     TEXT("title", TOOL),        TEXT("description", TOOL),
    DATA("size"),           JSON("icons", TOOL),        JSON("annotations", META),
    JSON("_meta", META),
};
static const struct field_set content = FIELD_SET(content_rows);
static const struct field_row message_rows[] = {
    DATA("role"),
    LIST("content", &content),
};
static const struct field_set message = FIELD_SET(message_rows);
static const struct field_row result_rows[] = {
    LIST("content", &content),
    JSON("structuredContent", TOOL),
    DATA("isError"),
    JSON("tools", SCHEMA),
    LIST("contents", &resource),
    LIST("messages", &message),
    JSON("resources", TOOL),
    JSON("resourceTemplates", TOOL),
    JSON("prompts", TOOL),
    JSON("completion", TOOL),
    TEXT("description", TOOL),
    TEXT("nextCursor", META),
    DATA("protocolVersion"),
    JSON("capabilities", META),
    JSON("serverInfo", TOOL),
    TEXT("instructions", TOOL),
    JSON("_meta", META),
};
static const struct field_set result = FIELD_SET(result_rows);
static const struct field_row reply_rows[] = {
    DATA("jsonrpc"),        {FIELD("id", BZ_FIELD_TEXT, META), .numbers = true},
    OBJ("result", &result), JSON("error", TOOL),
    DATA("method"),         JSON("params", TOOL),
};
static const struct field_set reply = FIELD_SET(reply_rows);
const struct field_row bz_fields_mcp_reply = OBJ("", &reply);
