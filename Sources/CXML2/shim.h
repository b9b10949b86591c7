// libxml2's reader of HTML, and its free(), which is a variable that Swift may not read.
#pragma once
// Without this its headers bring those of ICU, which Foundation has, too, in another version; nothing here uses what
// they declare.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

static inline void fakemx_xml_free(void *octets) { xmlFree(octets); }
