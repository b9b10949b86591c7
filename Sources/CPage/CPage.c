// The files of Sources/Web/Page/Assets, taken in by the compiler (C23, #embed): nothing is generated, nothing has to be
// installed beside the binary. A list in Swift would take a minute to compile. A test compares this one with the folder.
#include "CPage.h"

// Of C23, which clang knows in every language mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const struct page_asset assets[] = {
    {"index.html", (const char[]){
#embed "../Web/Page/Assets/index.html" suffix(, 0)
    }},
    {"", ""},
};

const struct page_asset *page_assets(void) { return assets; }
