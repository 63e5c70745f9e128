/**
 * The edge on HTTP: content negotiation, validators, ranges, cache headers and problem documents on
 * a Vert.x router. A hit in memory is answered on the event loop; everything that blocks runs on
 * the bounded pools of the variant package. The rules are those of RFC 9110, 9111, 9211 and 9457.
 */
package dev.tintype.edge.http;
