// libxml2's reader of HTML.
#pragma once
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>
