/**
 * Every way in which the edge can say no. Each error has a stable code, an HTTP status and a
 * message that says what to do. The codes are listed in docs/errors.md.
 */
package dev.tintype.edge.error;
