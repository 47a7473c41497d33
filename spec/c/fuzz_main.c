/* fuzz_main.c -- a main() for a fuzz target where libFuzzer is not to be had.
**
** usage: fuzz_x [-runs=N] [-seed=N] [-max_total_time=SECONDS] [file or directory]...
**
** Runs each file once, then N inputs (20,000) made by mutating them, and says the seed, so that a finding can be had again; other
** options of libFuzzer are ignored. It knows nothing of coverage: good as a smoke test, poor as a fuzzer. */
#include <dirent.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

enum { LONGEST = 4096, MOST = 4096 };

static ld_slice seeds[MOST];
static size_t seed_count;
static uint64_t seed, state;
static unsigned long run;
static bool inside; /* a target */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(void) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static size_t below(size_t bound) { return bound == 0 ? 0 : (size_t)(draw() % bound); }

static void say_where(void) {
  if (inside) fprintf(stderr, "found by input %lu of -seed=%llu\n", run, (unsigned long long)seed);
}

/* The target gets a block of just this size, so that a sanitizer sees a step too far. */
static void try(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  if (copy == NULL) exit(2);
  if (size > 0) memcpy(copy, data, size);
  run++;
  inside = true;
  LLVMFuzzerTestOneInput(copy, size);
  inside = false;
  free(copy);
}

static void read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL || seed_count == MOST) {
    fprintf(stderr, "%s: %s\n", path, file == NULL ? "cannot be opened" : "one file too many");
    exit(2);
  }
  uint8_t *bytes = malloc(LONGEST);
  if (bytes == NULL) exit(2);
  seeds[seed_count++] = ld_bytes(bytes, fread(bytes, 1, LONGEST, file));
  fclose(file);
}

/* By name, so that the order is the same every time. */
static void read_path(const char *path) {
  struct dirent **entries;
  int count = scandir(path, &entries, NULL, alphasort);
  if (count < 0) {
    read_file(path);
    return;
  }
  for (int i = 0; i < count; i++) {
    char name[4096];
    snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.') read_file(name);
    free(entries[i]);
  }
  free(entries);
}

/* Put `piece` in the place of `cut` bytes at `at`. */
static size_t splice(uint8_t *data, size_t size, size_t at, size_t cut, ld_slice piece) {
  if (cut > size - at) cut = size - at;
  if (size - cut + piece.size > LONGEST) return size;
  memmove(data + at + piece.size, data + at + cut, size - at - cut);
  if (piece.size > 0) memcpy(data + at, piece.data, piece.size);
  return size - cut + piece.size;
}

static ld_slice any_piece(void) {
  ld_slice from = seed_count > 0 ? seeds[below(seed_count)] : LD_SLICE_NONE;
  if (from.size == 0) return LD_SLICE_NONE;
  size_t at = below(from.size);
  return ld_bytes(from.data + at, 1 + below(from.size - at));
}

static size_t mutate(uint8_t *data, size_t size) {
  uint8_t byte = (uint8_t)draw();
  size_t at = below(size + 1);
  switch (draw() % 6) {
  case 0: return splice(data, size, at, 1, ld_bytes(&byte, 1));
  case 1: return splice(data, size, at, 0, ld_bytes(&byte, 1));
  case 2: return splice(data, size, at, 1 + below(8), LD_SLICE_NONE);
  case 3: return splice(data, size, at, 0, any_piece());
  case 4: return splice(data, size, at, below(16), any_piece());
  default:
    if (at < size) data[at] = (uint8_t)(data[at] ^ 1u << below(8));
    return size;
  }
}

static void try_mutated(void) {
  static uint8_t data[LONGEST];
  ld_slice from = seed_count > 0 ? seeds[below(seed_count)] : LD_SLICE_NONE;
  size_t size = from.size;
  if (size > 0) memcpy(data, from.data, size);
  for (size_t i = 1 + below(8); i > 0; i--) size = mutate(data, size);
  try(data, size);
}

int main(int argc, char **argv) {
  unsigned long long runs = 20000, seconds = 0, given;
  time_t begun = time(NULL);
  seed = (uint64_t)begun;
  for (int i = 1; i < argc; i++) {
    if (sscanf(argv[i], "-runs=%llu", &given) == 1) runs = given;
    if (sscanf(argv[i], "-seed=%llu", &given) == 1) seed = given;
    if (sscanf(argv[i], "-max_total_time=%llu", &given) == 1) seconds = given;
    if (argv[i][0] != '-') read_path(argv[i]);
  }
  atexit(say_where);
  state = seed;
  printf("-seed=%llu, %zu files\n", (unsigned long long)seed, seed_count);
  fflush(stdout);
  for (size_t i = 0; i < seed_count; i++) try(seeds[i].data, seeds[i].size);
  for (unsigned long long i = 0; i < runs; i++) {
    if (seconds > 0 && time(NULL) - begun >= (time_t)seconds) break;
    try_mutated();
  }
  printf("%lu inputs, nothing found\n", run);
  for (size_t i = 0; i < seed_count; i++) free((void *)(uintptr_t)seeds[i].data);
  return 0;
}
