/**
 * Pictures as files: PNG with the recipe that made them. The same picture and recipe give the same
 * bytes, so that content addressing sees equal pictures as one. Nothing of the time, the machine or
 * the user is in a file.
 */
package dev.tintype.worker.picture;
