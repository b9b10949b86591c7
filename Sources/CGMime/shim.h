// GMime, with the macros that Swift cannot see as functions.
#pragma once
#include <gmime/gmime.h>
#include <iconv.h>

static inline InternetAddressMailbox *fakemx_address_as_mailbox(InternetAddress *address) {
    return INTERNET_ADDRESS_IS_MAILBOX(address) ? INTERNET_ADDRESS_MAILBOX(address) : NULL;
}

static inline InternetAddressGroup *fakemx_address_as_group(InternetAddress *address) {
    return INTERNET_ADDRESS_IS_GROUP(address) ? INTERNET_ADDRESS_GROUP(address) : NULL;
}
