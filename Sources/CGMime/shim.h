// GMime, with the macros that Swift cannot see as functions.
#pragma once
#include <gmime/gmime.h>
