/**
 * Where a picture in the making can go on after its worker is gone, was needed for something more
 * urgent, or was stopped. A checkpoint is a shortcut, never the truth: one that is lost, damaged or
 * of another engine costs the steps before it and nothing else.
 */
package dev.tintype.worker.checkpoint;
