"""Pure codecs: bytes in, values out. Nothing here waits, reads a clock or remembers anything.

body         what a body is: fields, limits, the one error
jsonbody     JSON to fields and back          xmlbody      XML to fields and back
jsontree     a whole JSON value               xmlreader, xmlwriter   the platform's XML
                                              xmlplain, xmlparser    its elements
tokenslot    our token into the fields        querystring  the URL's parameters
fingerprint  the identity of a call           envelope     the outside of a reply
negotiation  which format                     reply        replies in the other format
"""
