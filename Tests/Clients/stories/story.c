/* The story with libcurl, which speaks both SMTP and HTTP: cc story.c $(pkg-config --cflags --libs libcurl) */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *space, *api, *smtp;
static char answer[1 << 16];
static size_t answered;

static size_t take(char *data, size_t size, size_t count, void *unused) {
    (void)unused;
    size_t octets = size * count;
    if (answered + octets >= sizeof answer) return 0;
    memcpy(answer + answered, data, octets);
    answered += octets;
    answer[answered] = 0;
    return octets;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, answer);
    exit(1);
}

/* GET, or POST where there is a body; the answer stands in `answer`. */
static void ask(const char *path, const char *body) {
    char url[1024];
    snprintf(url, sizeof url, "%s/api/fakemx/%s", api, path);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain");
    answered = 0;
    answer[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    }
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK || status / 100 != 2) fail(code != CURLE_OK ? curl_easy_strerror(code) : path);
}

/* A value of the answer as text, which is all that this story needs of JSON. */
static const char *value(const char *key) {
    static char text[256];
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
    const char *found = strstr(answer, pattern);
    if (!found) fail(key);
    found += strlen(pattern);
    snprintf(text, sizeof text, "%.*s", (int)strcspn(found, "\""), found);
    return text;
}

struct source { const char *text; size_t rest; };

static size_t give(char *buffer, size_t size, size_t count, void *from) {
    struct source *source = from;
    size_t octets = size * count < source->rest ? size * count : source->rest;
    memcpy(buffer, source->text, octets);
    source->text += octets;
    source->rest -= octets;
    return octets;
}

/* The reply code of the server. */
static long send_mail(const char *to, const char *text) {
    char url[256], forward[256];
    snprintf(url, sizeof url, "smtp://%s/client.example", smtp);
    snprintf(forward, sizeof forward, "<%s>", to);
    struct source source = {text, strlen(text)};
    CURL *curl = curl_easy_init();
    struct curl_slist *recipients = curl_slist_append(NULL, forward);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<shop@shop.example>");
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &source);
    curl_easy_perform(curl);
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return code;
}

int main(int count, char **arguments) {
    if (count != 2 || !(smtp = getenv("FAKEMX_SMTP")) || !(api = getenv("FAKEMX_URL"))) return 2;
    space = arguments[1];
    char to[128], path[512], since[128], phase[64];
    snprintf(to, sizeof to, "ann@%s.test", space);

    ask("cursor", NULL);
    snprintf(since, sizeof since, "%s", value("cursor"));
    snprintf(path, sizeof path, "rules?space=%s", space);
    ask(path, "end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here");

    if (send_mail(to, "Subject: Your invoice\r\n\r\nPlease pay.\r\n") != 554) fail("the invoice was not answered 554");
    if (send_mail(to, "Subject: Hello\r\n\r\nHow are you?\r\n") != 250) fail("the greeting was not answered 250");

    snprintf(path, sizeof path, "wait?for=reject&space=%s&since=%s&timeout=5", space, since);
    ask(path, NULL);
    snprintf(phase, sizeof phase, "%s", value("phase"));
    if (strcmp(phase, "end-of-data") || strcmp(value("reply"), "554 5.7.1 No invoices here")) fail("another refusal");
    snprintf(path, sizeof path, "wait?for=message&space=%s&since=%s&timeout=5", space, since);
    ask(path, NULL);
    if (strcmp(value("subject"), "Hello")) fail("another message");
    printf("story ok: %s, %s\n", phase, value("id"));
    return 0;
}
