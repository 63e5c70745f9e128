/**
 * Originals that mean harm, run in a process of their own whose memory is measured: bombs, torn
 * files, files that are two things at once, and rare kinds of pictures that are none of that.
 */
package dev.tintype.edge.hostile;
