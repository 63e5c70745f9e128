/**
 * Servers of other makers, from Maven Central, as child processes of this one: Redis, a Kafka
 * broker and s3proxy. The contract suites of the queue's ports and the demo fleet run against them.
 * Nothing that serves depends on this module.
 */
package dev.tintype.servers;
