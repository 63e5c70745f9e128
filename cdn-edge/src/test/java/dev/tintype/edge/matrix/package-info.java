/**
 * Every format to every format through every operation, read by decoders that are not libvips'
 * (avifdec, dwebp, djpeg, the JDK's PNG reader) and held against stored perceptual hashes.
 */
package dev.tintype.edge.matrix;
