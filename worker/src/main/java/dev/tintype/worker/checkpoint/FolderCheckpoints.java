package dev.tintype.worker.checkpoint;

import dev.tintype.queue.QueueException;
import dev.tintype.queue.job.JobId;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * In a folder, for a process that is alone: what is written outlives a kill -9 of the process. It
 * is not forced to the disk; after a power cut a torn file shows by its digest.
 */
public final class FolderCheckpoints implements CheckpointStore {
  /** Most bytes of all files; the oldest go first. */
  private static final long FOLDER_BYTES_MAX = 256L * 1024 * 1024;

  /** So often, in puts, the folder is looked through for what nobody fetched. */
  private static final int SWEEP_PUTS = 200;

  private final Path folder;
  private final Clock clock;
  private int puts;

  private record Entry(Path file, Instant at, long bytes) {}

  /** Makes the folder, and clears what is too old. */
  public FolderCheckpoints(Path folder, Clock clock) {
    this.folder = folder;
    this.clock = clock;
    try {
      Files.createDirectories(folder);
      sweep();
    } catch (IOException e) {
      throw failed("cannot be opened", e);
    }
  }

  private Path file(JobId job, int index) {
    return folder.resolve(job + "_" + index);
  }

  @Override
  public synchronized void put(JobId job, int index, byte[] checkpoint) {
    Path part = folder.resolve(job + "_" + index + ".part");
    try {
      Files.write(part, checkpoint);
      Files.setLastModifiedTime(part, FileTime.from(clock.instant()));
      Files.move(part, file(job, index), StandardCopyOption.ATOMIC_MOVE);
      if (++puts % SWEEP_PUTS == 0) {
        sweep();
      }
    } catch (IOException e) {
      throw failed("cannot be written", e);
    }
  }

  @Override
  public synchronized List<byte[]> of(JobId job) {
    List<byte[]> found = new ArrayList<>();
    for (Entry entry : entries(job + "_*")) {
      if (entry.bytes() <= BYTES_MAX && !tooOld(entry)) {
        try {
          found.add(Files.readAllBytes(entry.file()));
        } catch (NoSuchFileException e) {
          continue; // Cleared meanwhile.
        } catch (IOException e) {
          throw failed("cannot be read", e);
        }
      }
    }
    return found;
  }

  @Override
  public synchronized void remove(JobId job, Collection<Integer> indexes) {
    try {
      for (int index : indexes) {
        Files.deleteIfExists(file(job, index));
      }
    } catch (IOException e) {
      throw failed("cannot be cleared", e);
    }
  }

  private boolean tooOld(Entry entry) {
    return entry.at().isBefore(clock.instant().minus(AGE_MAX));
  }

  private void sweep() throws IOException {
    List<Entry> entries = new ArrayList<>(entries("*"));
    entries.sort(Comparator.comparing(Entry::at));
    long bytes = entries.stream().mapToLong(Entry::bytes).sum();
    for (Entry entry : entries) {
      if (tooOld(entry) || bytes > FOLDER_BYTES_MAX) {
        Files.deleteIfExists(entry.file());
        bytes -= entry.bytes();
      }
    }
  }

  private List<Entry> entries(String glob) {
    List<Entry> entries = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, glob)) {
      for (Path file : files) {
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
        entries.add(new Entry(file, found.lastModifiedTime().toInstant(), found.size()));
      }
    } catch (IOException e) {
      throw failed("cannot be listed", e);
    }
    return entries;
  }

  private QueueException failed(String what, IOException e) {
    return new QueueException.Blob(
        "blob.io", "The checkpoints in " + folder + " " + what + ": " + e.getMessage(), e);
  }
}
