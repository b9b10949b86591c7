// The files of Sources/Web/Page/Assets, taken in by the compiler (C23, #embed): nothing is generated, nothing has to be
// installed beside the binary. A list in Swift would take a minute to compile. A test compares this one with the folder.
#include "CPage.h"

// Of C23, which clang knows in every language mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const struct page_asset assets[] = {
    {"api.js", (const char[]){
#embed "../Web/Page/Assets/api.js" suffix(, 0)
    }},
    {"base.css", (const char[]){
#embed "../Web/Page/Assets/base.css" suffix(, 0)
    }},
    {"bot-check.js", (const char[]){
#embed "../Web/Page/Assets/bot-check.js" suffix(, 0)
    }},
    {"conversation.js", (const char[]){
#embed "../Web/Page/Assets/conversation.js" suffix(, 0)
    }},
    {"diagram-export.js", (const char[]){
#embed "../Web/Page/Assets/diagram-export.js" suffix(, 0)
    }},
    {"diagram-model.js", (const char[]){
#embed "../Web/Page/Assets/diagram-model.js" suffix(, 0)
    }},
    {"diagram-text.js", (const char[]){
#embed "../Web/Page/Assets/diagram-text.js" suffix(, 0)
    }},
    {"diagram.css", (const char[]){
#embed "../Web/Page/Assets/diagram.css" suffix(, 0)
    }},
    {"diagram.js", (const char[]){
#embed "../Web/Page/Assets/diagram.js" suffix(, 0)
    }},
    {"dom.js", (const char[]){
#embed "../Web/Page/Assets/dom.js" suffix(, 0)
    }},
    {"events.js", (const char[]){
#embed "../Web/Page/Assets/events.js" suffix(, 0)
    }},
    {"filter-box.js", (const char[]){
#embed "../Web/Page/Assets/filter-box.js" suffix(, 0)
    }},
    {"icon.svg", (const char[]){
#embed "../Web/Page/Assets/icon.svg" suffix(, 0)
    }},
    {"index.html", (const char[]){
#embed "../Web/Page/Assets/index.html" suffix(, 0)
    }},
    {"lesson-talk.js", (const char[]){
#embed "../Web/Page/Assets/lesson-talk.js" suffix(, 0)
    }},
    {"lines.js", (const char[]){
#embed "../Web/Page/Assets/lines.js" suffix(, 0)
    }},
    {"main.js", (const char[]){
#embed "../Web/Page/Assets/main.js" suffix(, 0)
    }},
    {"message-envelope.js", (const char[]){
#embed "../Web/Page/Assets/message-envelope.js" suffix(, 0)
    }},
    {"message-parts.js", (const char[]){
#embed "../Web/Page/Assets/message-parts.js" suffix(, 0)
    }},
    {"message-source.js", (const char[]){
#embed "../Web/Page/Assets/message-source.js" suffix(, 0)
    }},
    {"octets.js", (const char[]){
#embed "../Web/Page/Assets/octets.js" suffix(, 0)
    }},
    {"parts.js", (const char[]){
#embed "../Web/Page/Assets/parts.js" suffix(, 0)
    }},
    {"passage.js", (const char[]){
#embed "../Web/Page/Assets/passage.js" suffix(, 0)
    }},
    {"phases.js", (const char[]){
#embed "../Web/Page/Assets/phases.js" suffix(, 0)
    }},
    {"router.js", (const char[]){
#embed "../Web/Page/Assets/router.js" suffix(, 0)
    }},
    {"rule-builder.js", (const char[]){
#embed "../Web/Page/Assets/rule-builder.js" suffix(, 0)
    }},
    {"rule-check.js", (const char[]){
#embed "../Web/Page/Assets/rule-check.js" suffix(, 0)
    }},
    {"rule-draft.js", (const char[]){
#embed "../Web/Page/Assets/rule-draft.js" suffix(, 0)
    }},
    {"rule-rows.js", (const char[]){
#embed "../Web/Page/Assets/rule-rows.js" suffix(, 0)
    }},
    {"rule-words.js", (const char[]){
#embed "../Web/Page/Assets/rule-words.js" suffix(, 0)
    }},
    {"scenario-list.js", (const char[]){
#embed "../Web/Page/Assets/scenario-list.js" suffix(, 0)
    }},
    {"session-list.js", (const char[]){
#embed "../Web/Page/Assets/session-list.js" suffix(, 0)
    }},
    {"tabs.js", (const char[]){
#embed "../Web/Page/Assets/tabs.js" suffix(, 0)
    }},
    {"timeline-figure.js", (const char[]){
#embed "../Web/Page/Assets/timeline-figure.js" suffix(, 0)
    }},
    {"timeline-layout.js", (const char[]){
#embed "../Web/Page/Assets/timeline-layout.js" suffix(, 0)
    }},
    {"token.js", (const char[]){
#embed "../Web/Page/Assets/token.js" suffix(, 0)
    }},
    {"view-attempts.css", (const char[]){
#embed "../Web/Page/Assets/view-attempts.css" suffix(, 0)
    }},
    {"view-attempts.js", (const char[]){
#embed "../Web/Page/Assets/view-attempts.js" suffix(, 0)
    }},
    {"view-compare.css", (const char[]){
#embed "../Web/Page/Assets/view-compare.css" suffix(, 0)
    }},
    {"view-compare.js", (const char[]){
#embed "../Web/Page/Assets/view-compare.js" suffix(, 0)
    }},
    {"view-lessons.css", (const char[]){
#embed "../Web/Page/Assets/view-lessons.css" suffix(, 0)
    }},
    {"view-lessons.js", (const char[]){
#embed "../Web/Page/Assets/view-lessons.js" suffix(, 0)
    }},
    {"view-message.js", (const char[]){
#embed "../Web/Page/Assets/view-message.js" suffix(, 0)
    }},
    {"view-messages.css", (const char[]){
#embed "../Web/Page/Assets/view-messages.css" suffix(, 0)
    }},
    {"view-messages.js", (const char[]){
#embed "../Web/Page/Assets/view-messages.js" suffix(, 0)
    }},
    {"view-replies.js", (const char[]){
#embed "../Web/Page/Assets/view-replies.js" suffix(, 0)
    }},
    {"view-report.css", (const char[]){
#embed "../Web/Page/Assets/view-report.css" suffix(, 0)
    }},
    {"view-report.js", (const char[]){
#embed "../Web/Page/Assets/view-report.js" suffix(, 0)
    }},
    {"view-rules.css", (const char[]){
#embed "../Web/Page/Assets/view-rules.css" suffix(, 0)
    }},
    {"view-rules.js", (const char[]){
#embed "../Web/Page/Assets/view-rules.js" suffix(, 0)
    }},
    {"view-session.css", (const char[]){
#embed "../Web/Page/Assets/view-session.css" suffix(, 0)
    }},
    {"view-session.js", (const char[]){
#embed "../Web/Page/Assets/view-session.js" suffix(, 0)
    }},
    {"view-sessions.css", (const char[]){
#embed "../Web/Page/Assets/view-sessions.css" suffix(, 0)
    }},
    {"view-sessions.js", (const char[]){
#embed "../Web/Page/Assets/view-sessions.js" suffix(, 0)
    }},
    {"virtual-list.js", (const char[]){
#embed "../Web/Page/Assets/virtual-list.js" suffix(, 0)
    }},
    {"", ""},
};

const struct page_asset *page_assets(void) { return assets; }
