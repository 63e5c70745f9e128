/**
 * libvips over FFM: finding and loading the library, and one conversion from an original to a
 * variant. Nothing outside this package sees a native pointer. Inputs are told by their magic
 * bytes, and budgets are checked after the header, before any pixel is decoded.
 */
package dev.tintype.edge.vips;
