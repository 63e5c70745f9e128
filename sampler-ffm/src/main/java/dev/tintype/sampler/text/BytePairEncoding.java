package dev.tintype.sampler.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding (Sennrich et al. 2016) over bytes written as printable characters (GPT-2),
 * with {@code </w>} after the last piece of a word (CLIP). Merges are applied lowest rank first,
 * leftmost first, in O(n log n), so that a long word cannot stall the service.
 */
final class BytePairEncoding {
  static final String END_OF_WORD = "</w>";

  private static final String[] CHARACTER_OF_BYTE = characterOfByte();

  private final Map<String, Integer> idOfPiece;
  private final Map<Pair, Integer> rankOfPair;
  private final int unknownId;

  private record Pair(String left, String right) {}

  /** A merge that may be done, valid while both pieces are still what they were. */
  private record Candidate(int rank, int position, String left, String right)
      implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      return rank != other.rank
          ? Integer.compare(rank, other.rank)
          : Integer.compare(position, other.position);
    }
  }

  /**
   * @param merges "left right", most frequent first
   * @param unknownId for pieces that are not in the vocabulary
   */
  BytePairEncoding(Map<String, Integer> vocabulary, List<String[]> merges, int unknownId) {
    this.idOfPiece = Map.copyOf(vocabulary);
    this.rankOfPair = HashMap.newHashMap(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      rankOfPair.putIfAbsent(new Pair(merges.get(rank)[0], merges.get(rank)[1]), rank);
    }
    this.unknownId = unknownId;
  }

  /** Ids of one word, without white space inside. */
  List<Integer> encode(String word) {
    String[] pieces = split(word);
    int count = pieces.length;
    int[] next = new int[count];
    int[] previous = new int[count];
    for (int i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    PriorityQueue<Candidate> candidates = new PriorityQueue<>();
    for (int i = 0; i + 1 < count; i++) {
      offer(candidates, pieces, i, i + 1);
    }
    while (!candidates.isEmpty()) {
      Candidate best = candidates.poll();
      int left = best.position;
      int right = next[left];
      if (right >= count || !best.left.equals(pieces[left]) || !best.right.equals(pieces[right])) {
        continue;
      }
      pieces[left] = best.left + best.right;
      pieces[right] = "";
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
        offer(candidates, pieces, left, next[left]);
      }
      if (previous[left] >= 0) {
        offer(candidates, pieces, previous[left], left);
      }
    }
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < count; i = next[i]) {
      ids.add(idOfPiece.getOrDefault(pieces[i], unknownId));
    }
    return ids;
  }

  private void offer(PriorityQueue<Candidate> candidates, String[] pieces, int left, int right) {
    Integer rank = rankOfPair.get(new Pair(pieces[left], pieces[right]));
    if (rank != null) {
      candidates.add(new Candidate(rank, left, pieces[left], pieces[right]));
    }
  }

  private static String[] split(String word) {
    byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
    String[] pieces = new String[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      pieces[i] = CHARACTER_OF_BYTE[bytes[i] & 0xff];
    }
    if (pieces.length > 0) {
      pieces[pieces.length - 1] += END_OF_WORD;
    }
    return pieces;
  }

  /** Printable Latin-1 bytes stand for themselves, the other 68 for U+0100 and up, in order. */
  private static String[] characterOfByte() {
    String[] characters = new String[256];
    int shifted = 256;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          value >= '!' && value <= '~' || value >= 0xa1 && value <= 0xac || value >= 0xae;
      characters[value] = Character.toString(printable ? value : shifted++);
    }
    return characters;
  }
}
