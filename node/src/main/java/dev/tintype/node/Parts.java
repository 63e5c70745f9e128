package dev.tintype.node;

import dev.tintype.gateway.metrics.ProcessMetric;
import dev.tintype.queue.blob.BlobStore;
import dev.tintype.queue.ephemera.Ephemera;
import dev.tintype.queue.fleet.FleetView;
import dev.tintype.queue.transport.JobTransport;
import java.security.SecureRandom;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * What a process that relays or works has open.
 *
 * @param metrics what the roles count; they add to it
 * @param closers closes what the roles add
 * @param teller told a part's name and what was found, one line each
 */
record Parts(
    NodeConfig config,
    DataFolder folder,
    StoreParts store,
    BlobStore blobs,
    JobTransport transport,
    Ephemera ephemera,
    FleetView fleet,
    SecureRandom random,
    List<ProcessMetric> metrics,
    Closers closers,
    BiConsumer<String, String> teller) {}
