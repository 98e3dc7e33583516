#include "tools/keyrack/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/keyrack/js.h"

const struct report report_of_read = {.is_write = false};

static const char *outcome_name(enum keyrack_outcome outcome)
{
	switch (outcome) {
	case KEYRACK_RESULT_DONE:
		return "DONE";
	case KEYRACK_RESULT_NOT_DONE:
		return "NOT_DONE";
	case KEYRACK_RESULT_UNKNOWN:
	case KEYRACK_WOULD_BLOCK:
		break;
	}
	return "UNKNOWN";
}

const char *report_status_name(uint32_t status)
{
	switch (status) {
	case KEYRACK_STATUS_ACTIVE:
		return "ACTIVE";
	case KEYRACK_STATUS_CLOSED:
		return "CLOSED";
	case KEYRACK_STATUS_RETIRED:
		return "RETIRED";
	default:
		return "UNKNOWN";
	}
}

json_t *report_refusal_json(const struct report *report, const struct keyrack_refusal *refusal)
{
	json_t *object = js_object();
	char sentence[SENTENCE_SIZE];
	sentence_of_refusal(refusal, &report->context, sentence);
	js_text(object, "code", keyrack_code_name(refusal->code));
	js_text(object, "rule", keyrack_rule_name(refusal->rule));
	js_count(object, "line", refusal->line);
	if (refusal->has_day)
		js_day(object, "day", refusal->day);
	js_int(object, "required", refusal->required);
	js_int(object, "left", refusal->left);
	if (refusal->state != 0)
		js_text(object, "state", keyrack_state_name(refusal->state));
	if ((refusal->other.hi | refusal->other.lo) != 0)
		js_id(object, "other", refusal->other);
	if (refusal->text != NULL && refusal->text[0] != '\0')
		js_text(object, "field", refusal->text);
	js_text(object, "sentence", sentence);
	return object;
}

json_t *report_json(const struct report *report, const struct keyrack_result *result)
{
	json_t *root = js_object();
	js_text(root, "outcome", outcome_name(result->outcome));
	js_text(root, "code", keyrack_code_name(result->code));
	js_count(root, "tries", result->tries);
	js_count(root, "elapsed_us", result->elapsed_us);
	if (result->refusal != NULL && result->outcome != KEYRACK_RESULT_DONE)
		js_set(root, "refusal", report_refusal_json(report, result->refusal));
	return root;
}

/* Is the router's unix socket there, but for other users? */
static bool is_closed_to_us(const char *routers)
{
	static const char prefix[] = "unix:";
	const char *path = routers + strlen(prefix);
	kr_assert(routers != NULL);
	return strncmp(routers, prefix, strlen(prefix)) == 0 && access(path, W_OK) != 0 &&
	       errno == EACCES;
}

static int say_unreachable(const struct cli *cli, const struct keyrack_result *result)
{
	switch (result->code) {
	case KEYRACK_CODE_UNREACHABLE:
		if (is_closed_to_us(cli->routers)) {
			cli_say(cli,
				"%s is not open to this user; nothing happened. Its mode and owner "
				"are options of keyrack-router.",
				cli->routers);
			break;
		}
		cli_say(cli,
			"no router answers at %s; nothing happened.\n"
			"Is the cluster running? `keyrack cluster status --dir DIR` shows it; "
			"--router names another.",
			cli->routers);
		break;
	case KEYRACK_CODE_UNAVAILABLE:
		cli_say(cli, "the shard is down or starting; nothing happened. Try again, or see "
			     "`keyrack router status`.");
		break;
	case KEYRACK_CODE_REJECT_TOKEN:
		cli_say(cli, "%s; nothing happened. Give --token-file FILE with %s.",
			keyrack_code_text(result->code),
			cli->token_file != NULL ? "another one" : "the token you were given");
		break;
	default:
		cli_say(cli, "%s: %s; nothing happened. Try again, or give --deadline more time.",
			keyrack_code_name(result->code), keyrack_code_text(result->code));
	}
	return CLI_UNREACHABLE;
}

static int say_unknown(
	const struct cli *cli, const struct report *report, const struct keyrack_result *result)
{
	const char *name = keyrack_code_name(result->code);
	const char *text = keyrack_code_text(result->code);
	if (!report->is_write) {
		cli_say(cli, "%s: %s. Try again, or give --deadline more time.", name, text);
		return CLI_UNREACHABLE;
	}
	cli_say(cli, "%s: %s: it may have happened or not.", name, text);
	if (report->next != NULL)
		fprintf(stderr, "To find out: keyrack --router %s %s\n", cli->routers,
			report->next);
	return CLI_UNKNOWN;
}

/* Was nobody there, rather than somebody who said no? */
static bool is_unreachable(unsigned code)
{
	return code == KEYRACK_CODE_UNREACHABLE || code == KEYRACK_CODE_NOT_SENT ||
	       code == KEYRACK_CODE_UNAVAILABLE ||
	       (code >= KEYRACK_CODE_REJECT_MAGIC && code < KEYRACK_CODE_UNREACHABLE);
}

int report_end(
	const struct cli *cli, const struct report *report, const struct keyrack_result *result)
{
	char sentence[SENTENCE_SIZE];
	if (result->outcome == KEYRACK_RESULT_DONE)
		return CLI_DONE;
	kr_assert(result->code != KEYRACK_CODE_DONE);
	if (result->outcome != KEYRACK_RESULT_NOT_DONE)
		return say_unknown(cli, report, result);
	if (is_unreachable(result->code))
		return say_unreachable(cli, result);
	if (result->refusal != NULL) {
		sentence_of_refusal(result->refusal, &report->context, sentence);
		cli_say(cli, "refused: %s", sentence);
	} else {
		cli_say(cli, "refused: %s: %s", keyrack_code_name(result->code),
			keyrack_code_text(result->code));
	}
	return CLI_REFUSED;
}

int report_fail(
	const struct cli *cli, const struct report *report, const struct keyrack_result *result)
{
	kr_assert(result->outcome != KEYRACK_RESULT_DONE);
	if (cli->json)
		js_print(report_json(report, result));
	return report_end(cli, report, result);
}

int report_not_taken(const struct cli *cli, int r)
{
	kr_assert(r < 0);
	if (r == -EINVAL)
		return cli_wrong(cli, "a value is out of range");
	if (r == -EMSGSIZE)
		return cli_wrong(cli, "the request is too long");
	cli_say(cli, "the request was not sent: %s", strerror(-r));
	return CLI_UNREACHABLE;
}

int report_got(const struct cli *cli, int r, const struct keyrack_result *result)
{
	kr_assert(cli->client != NULL);
	if (r < 0)
		return report_not_taken(cli, r);
	return r == KEYRACK_RESULT_DONE ? CLI_DONE : report_fail(cli, &report_of_read, result);
}

int report_missing(const struct cli *cli, const char *format, ...)
{
	char sentence[SENTENCE_SIZE];
	va_list list;
	va_start(list, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, list);
	va_end(list);
	kr_assert(sentence[0] != '\0');
	cli_say(cli, "%s", sentence);
	if (cli->json) {
		json_t *root = js_object();
		js_text(root, "outcome", outcome_name(KEYRACK_RESULT_NOT_DONE));
		js_text(root, "code", keyrack_code_name(KEYRACK_CODE_NOT_FOUND));
		js_text(root, "sentence", sentence);
		js_print(root);
	}
	return CLI_REFUSED;
}
