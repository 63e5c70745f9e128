/**
 * The grammar of an edge URL: operations, formats, signatures. Pure: no I/O, no clock of its own.
 * What is signed is the path without its signature, so that any language with HMAC-SHA256 can make
 * a URL.
 */
package dev.tintype.edge.url;
