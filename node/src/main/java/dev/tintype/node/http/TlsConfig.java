package dev.tintype.node.http;

import java.nio.file.Path;
import java.time.Duration;

/**
 * TLS of a server.
 *
 * @param cert PEM file with the server's certificate and behind it those that lead to a root
 * @param key PEM file with its private key: PKCS #8, or as OpenSSL writes RSA and EC keys; without
 *     a password
 * @param hsts how long browsers must not come without TLS again (RFC 6797); zero, the default, says
 *     nothing
 */
public record TlsConfig(Path cert, Path key, Duration hsts) {}
