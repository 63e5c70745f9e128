package dev.tintype.edge.variant;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DiskCacheTest {
  private static final String ID = "00112233445566778899aabbccddeeff";

  private static final String SHA = "ab".repeat(32);

  @TempDir Path folder;

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void aVariantOutlivesTheProcess() throws IOException {
    new DiskCache(folder, 1000).put(SHA, ID, new byte[] {1, 2, 3});
    DiskCache next = new DiskCache(folder, 1000);
    assertThat(next.find(SHA, ID)).isEmpty();
    next.scan();
    assertThat(next.find(SHA, ID)).hasValueSatisfying(file -> assertThat(file.size()).isEqualTo(3));
    assertThat(Files.readAllBytes(next.find(SHA, ID).orElseThrow().path()))
        .containsExactly(1, 2, 3);
  }

  @Test
  void theFolderStaysWithinItsBound() throws IOException {
    DiskCache cache = new DiskCache(folder, 10_000);
    for (int i = 0; i < 100; i++) {
      cache.put(SHA, "%032x".formatted(i * 7919L), new byte[1000]);
      cache.settle();
    }
    long total = 0;
    for (Path file : files()) {
      total += Files.size(file);
    }
    assertThat(total).isPositive().isLessThanOrEqualTo(10_000);
  }

  @Test
  void whatAPowerCutLeftShortIsDeletedAtTheNextStart() throws IOException {
    DiskCache cache = new DiskCache(folder, 1000);
    cache.put(SHA, ID, new byte[100]);
    Path file = cache.find(SHA, ID).orElseThrow().path();
    Files.write(file, new byte[40]);
    Path part = Files.write(file.resolveSibling(file.getFileName() + ".123.part"), new byte[5]);
    DiskCache next = new DiskCache(folder, 1000);
    next.scan();
    assertThat(next.find(SHA, ID)).isEmpty();
    assertThat(file).doesNotExist();
    assertThat(part).doesNotExist();
  }

  @Test
  void filesOfOthersAreLeftAlone() throws IOException {
    Path letter = Files.writeString(folder.resolve("letter.txt"), "dear");
    Path alike =
        Files.writeString(folder.resolve(ID + "-" + ID + "-4"), "not where a variant lies");
    DiskCache cache = new DiskCache(folder, 1);
    cache.scan();
    cache.settle();
    assertThat(letter).exists();
    assertThat(alike).exists();
  }

  @Test
  void aFolderThatCannotBeWrittenCostsNoAnswer() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    DiskCache cache = new DiskCache(file, 1000);
    cache.scan();
    cache.put(SHA, ID, new byte[3]);
    assertThat(cache.find(SHA, ID)).isEmpty();
  }

  @Test
  void aFileThatVanishedIsNoHit() throws IOException {
    DiskCache cache = new DiskCache(folder, 1000);
    cache.put(SHA, ID, new byte[3]);
    Files.delete(cache.find(SHA, ID).orElseThrow().path());
    assertThat(cache.find(SHA, ID)).isEmpty();
  }

  @Test
  void whatWasMadeOfAnOriginalIsForgottenTogetherAlsoBeforeTheScan() throws IOException {
    String other = "ab".repeat(15) + "cd".repeat(17);
    DiskCache cache = new DiskCache(folder, 1000);
    cache.put(SHA, ID, new byte[3]);
    cache.put(SHA, ID.replace('0', '9'), new byte[4]);
    cache.put(other, ID, new byte[5]);
    DiskCache next = new DiskCache(folder, 1000);
    next.forget(SHA);
    next.scan();
    assertThat(next.find(SHA, ID)).isEmpty();
    assertThat(next.find(SHA, ID.replace('0', '9'))).isEmpty();
    assertThat(next.find(other, ID)).isPresent();
    assertThat(files()).hasSize(1);
  }

  @Test
  void filesOfTheFormerLayoutAreDeleted() throws IOException {
    Path place = Files.createDirectories(folder.resolve("00").resolve("11"));
    Path former = Files.write(place.resolve(ID + "-4"), new byte[4]);
    new DiskCache(folder, 1000).scan();
    assertThat(former).doesNotExist();
  }
}
