// The files of the page, as they stand in the binary. What they are served as stands in Sources/Web/Page/Page.swift.
#ifndef CPAGE_H
#define CPAGE_H

/// A file of Sources/Web/Page/Assets.
struct page_asset {
    /// Without its folder.
    const char *_Nonnull name;
    /// Text in UTF-8 that holds no NUL, with a NUL behind it.
    const char *_Nonnull text;
};

/// In the order of their names; behind the last one stands one whose name is empty.
const struct page_asset *_Nonnull page_assets(void);

#endif
