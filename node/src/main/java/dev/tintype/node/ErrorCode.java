package dev.tintype.node;

import dev.tintype.edge.error.EdgeException;
import dev.tintype.gateway.problem.GatewayException;
import dev.tintype.queue.QueueException;
import dev.tintype.sampler.SamplerException;
import dev.tintype.worker.WorkerException;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Finds the stable code of any error that one of our modules raised on purpose. */
public record ErrorCode(String code, String message) {
  /** Empty for errors that nobody foresaw; those deserve their stack trace in the log. */
  public static Optional<ErrorCode> of(Throwable error) {
    return switch (error) {
      case NodeException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case QueueException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case SamplerException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case WorkerException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case GatewayException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case EdgeException e -> Optional.of(new ErrorCode(e.code(), e.getMessage()));
      case CompletionException e when e.getCause() != null -> of(e.getCause());
      case ExecutionException e when e.getCause() != null -> of(e.getCause());
      case null, default -> Optional.empty();
    };
  }
}
