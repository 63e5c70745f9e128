/**
 * Looks at the machine and says what was found, and what to do about what is missing. Every finding
 * is one line with a verdict; only what a picture cannot be made without is an error. It changes
 * nothing and asks nobody outside.
 */
package dev.tintype.node.doctor;
