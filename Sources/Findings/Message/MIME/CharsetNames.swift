// Names of charsets that are registered with IANA (https://www.iana.org/assignments/character-sets, RFC 2978), in
// small letters, the aliases too. Families of which nobody has every member by heart are taken as they come: a name
// that might be registered is never held against a sender.

enum CharsetNames {
    /// - Parameter name: in small letters.
    static func isRegistered(_ name: String) -> Bool {
        known.contains(name) || families.contains { name.hasPrefix($0) }
    }

    /// `cs…` is the alias that every registration has; `x-…` is left to private agreement (RFC 2046 §4.1.2).
    private static let families = ["cs", "iso-ir-", "iso646-", "ibm", "x-"]

    private static let known: Set<String> = Set(
        """
        us-ascii iso-ir-6 ansi_x3.4-1968 ansi_x3.4-1986 iso_646.irv:1991 us ascii ibm367 cp367 iso-8859-1
        iso_8859-1:1987 iso_8859-1 latin1 l1 ibm819 cp819 iso-8859-2 iso_8859-2:1987 iso_8859-2 latin2 l2 iso-8859-3
        iso_8859-3:1988 iso_8859-3 latin3 l3 iso-8859-4 iso_8859-4:1988 iso_8859-4 latin4 l4 iso-8859-5
        iso_8859-5:1988 iso_8859-5 cyrillic iso-8859-6 iso_8859-6:1987 iso_8859-6 ecma-114 asmo-708 arabic
        iso-8859-6-e iso_8859-6-e iso-8859-6-i iso_8859-6-i iso-8859-7 iso_8859-7:1987 iso_8859-7 elot_928 ecma-118
        greek greek8 iso-8859-8 iso_8859-8:1988 iso_8859-8 hebrew iso-8859-8-e iso_8859-8-e iso-8859-8-i
        iso_8859-8-i iso-8859-9 iso_8859-9:1989 iso_8859-9 latin5 l5 iso-8859-10 iso_8859-10:1992 l6 latin6
        iso-8859-11 iso-8859-13 iso-8859-14 iso_8859-14:1998 iso_8859-14 latin8 iso-celtic l8 iso-8859-15
        iso_8859-15 latin-9 iso-8859-16 iso_8859-16:2001 iso_8859-16 latin10 l10 iso_6937-2-add iso_6937-2-25
        iso_8859-supp latin1-2-5 latin-lap lap iso-8859-1-windows-3.0-latin-1 iso-8859-1-windows-3.1-latin-1
        iso-8859-2-windows-latin-2 iso-8859-9-windows-latin-5 jis_x0201 x0201 jis_encoding shift_jis ms_kanji
        windows-31j extended_unix_code_packed_format_for_japanese euc-jp extended_unix_code_fixed_width_for_japanese
        iso-2022-jp iso-2022-jp-2 cp50220 cp51932 jis_x0212-1990 x0212 jis_c6220-1969-jp jis_c6220-1969 katakana
        x0201-7 jis_c6220-1969-ro jp jis_c6226-1978 jis_c6226-1983 x0208 jis_x0208-1983 jis_c6229-1984-a jp-ocr-a
        jis_c6229-1984-b jp-ocr-b jis_c6229-1984-b-add jp-ocr-b-add jis_c6229-1984-hand jp-ocr-hand
        jis_c6229-1984-hand-add jp-ocr-hand-add jis_c6229-1984-kana ks_c_5601-1987 ks_c_5601-1989 ksc_5601 korean
        ksc5636 iso-2022-kr euc-kr gb_2312-80 chinese gb2312 gbk cp936 ms936 windows-936 gb18030 hz-gb-2312
        iso-2022-cn iso-2022-cn-ext gb_1988-80 cn big5 big5-hkscs utf-8 utf-16 utf-16be utf-16le utf-32 utf-32be
        utf-32le utf-7 utf-7-imap cesu-8 scsu bocu-1 unicode-1-1 unicode-1-1-utf-7 iso-10646-ucs-2 iso-10646-ucs-4
        iso-10646-ucs-basic iso-10646-unicode-latin1 iso-10646 iso-10646-j-1 iso-10646-utf-1 iso-unicode-ibm-1261
        iso-unicode-ibm-1268 iso-unicode-ibm-1276 iso-unicode-ibm-1264 iso-unicode-ibm-1265 unknown-8bit mnemonic
        mnem invariant us-dk dk-us iso_646.basic:1983 ref iso_646.irv:1983 irv windows-874 windows-1250 windows-1251
        windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258
        windows-30-latin-1 tis-620 viscii viqr koi8-r koi8-u koi7-switched koi8-e koi-8 gost_19768-74 kz-1048
        strk1048-2002 rk1048 ptcp154 pt154 cp154 cyrillic-asian tscii macintosh mac hp-roman8 roman8 r8 hp-legal
        hp-pi-font hp-math8 hp-desktop dec-mcs dec adobe-standard-encoding adobe-symbol-encoding ventura-us
        ventura-international ventura-math pc8-danish-norwegian pc8-turkish ms-symbol microsoft-publishing
        amiga-1251 ami1251 ami-1251 amiga1251 brf osd_ebcdic_df04_15 osd_ebcdic_df03_irv osd_ebcdic_df04_1 t.61
        t.61-7bit t.61-8bit t.101-g2 videotex-suppl bs_viewdata bs_4730 gb uk sen_850200_b fi se sen_850200_c se2 it
        es es2 pt pt2 din_66003 de ns_4551-1 no ns_4551-2 no2 nf_z_62-010 fr nf_z_62-010_(1973) msz_7795.3 hu
        csa_z243.4-1985-1 ca csa7-1 csa71 csa_z243.4-1985-2 csa7-2 csa72 csa_z243.4-1985-gr nc_nc00-10:81 cuba
        jus_i.b1.002 js yu jus_i.b1.003-serb serbian jus_i.b1.003-mac macedonian ds_2089 ds2089 dk nats-sefi
        nats-sefi-add nats-dano nats-dano-add csn_369103 ecma-cyrillic latin-greek latin-greek-1 greek7 greek7-old
        greek-ccitt inis inis-8 inis-cyrillic iso_5427 iso_5427:1981 iso5427cyrillic1981 iso_5428:1980 iso_2033-1983
        e13b ansi_x3.110-1983 csa_t500-1983 naplps asmo_449 iso_9036 arabic7 iso_10367-box ebcdic-us ebcdic-int
        ebcdic-at-de ebcdic-at-de-a ebcdic-ca-fr ebcdic-dk-no ebcdic-dk-no-a ebcdic-fi-se ebcdic-fi-se-a ebcdic-fr
        ebcdic-it ebcdic-pt ebcdic-es ebcdic-es-a ebcdic-es-s ebcdic-uk ebcdic-cp-us ebcdic-cp-ca ebcdic-cp-wt
        ebcdic-cp-nl ebcdic-cp-dk ebcdic-cp-no ebcdic-cp-fi ebcdic-cp-se ebcdic-cp-it ebcdic-cp-es ebcdic-cp-gb
        ebcdic-cp-fr ebcdic-cp-ar1 ebcdic-cp-he ebcdic-cp-be ebcdic-cp-ch ebcdic-cp-roece ebcdic-cp-yu ebcdic-cp-is
        ebcdic-cp-ar2 ebcdic-cp-tr ebcdic-cp-gr ebcdic-jp-e ebcdic-jp-kana ebcdic-be ebcdic-br ebcdic-cyrillic
        ebcdic-us-37+euro ebcdic-de-273+euro ebcdic-dk-277+euro ebcdic-no-277+euro ebcdic-fi-278+euro
        ebcdic-se-278+euro ebcdic-it-280+euro ebcdic-es-284+euro ebcdic-gb-285+euro ebcdic-fr-297+euro
        ebcdic-international-500+euro ebcdic-is-871+euro ebcdic-latin9--euro pc-multilingual-850+euro cp037 cp038
        cp273 cp274 cp275 cp278 cp280 cp281 cp284 cp285 cp290 cp297 cp420 cp423 cp424 437 cp437 cp500 850 cp850
        cp851 852 cp852 855 cp855 857 cp857 cp00858 ccsid00858 860 cp860 861 cp861 cp-is 862 cp862 863 cp863 cp864
        865 cp865 866 cp866 cp868 cp-ar 869 cp869 cp-gr cp870 cp871 cp880 cp891 cp903 904 cp904 cp905 cp918 cp00924
        ccsid00924 cp1026 cp01140 ccsid01140 cp01141 ccsid01141 cp01142 ccsid01142 cp01143 ccsid01143 cp01144
        ccsid01144 cp01145 ccsid01145 cp01146 ccsid01146 cp01147 ccsid01147 cp01148 ccsid01148 cp01149 ccsid01149
        """.split { $0 == " " || $0 == "\n" }.map(String.init))
}
