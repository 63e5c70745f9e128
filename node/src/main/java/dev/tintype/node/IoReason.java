package dev.tintype.node;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** What went wrong with a file or a connection, in words instead of class names. */
public final class IoReason {
  private IoReason() {}

  public static String of(Throwable error) {
    return switch (error) {
      case AccessDeniedException e -> "permission denied: " + e.getFile();
      case NoSuchFileException e -> "no such file or folder: " + e.getFile();
      case NotDirectoryException e -> "not a folder: " + e.getFile();
      case FileAlreadyExistsException e -> "a file is in the way: " + e.getFile();
      case FileSystemException e when e.getReason() != null -> e.getReason() + ": " + e.getFile();
      case ConnectException e when e.getCause() instanceof UnresolvedAddressException ->
          "unknown host";
      case ConnectException e -> "connection refused";
      case UnknownHostException e -> "unknown host";
      case HttpTimeoutException e -> "timed out";
      case IOException e when e.getMessage() != null -> e.getMessage();
      default -> error.getClass().getSimpleName().replace("Exception", "");
    };
  }
}
