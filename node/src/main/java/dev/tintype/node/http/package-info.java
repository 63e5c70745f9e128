/**
 * The front door that gateway and edge share: what a connection may cost, TLS with certificates
 * that are read again when they change, HTTP/2. Its limits are named here and nowhere else.
 */
package dev.tintype.node.http;
