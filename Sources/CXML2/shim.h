// libxml2's reader of HTML, and its free(), which is a variable that Swift may not read.
#pragma once
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

static inline void fakemx_xml_free(void *octets) { xmlFree(octets); }
