/* One level of `communities` (networks.py): each node goes where it gains most, until none moves.

   The same sums in the same order as the Python beside it, so the same parts to the bit: compiled with
   -ffp-contract=off, since a fused product and sum rounds once where Python rounds twice. */

#include <stdint.h>

static int64_t best_part(int64_t v, const int64_t *start, const int64_t *near, const double *weight,
                         const int64_t *label, const double *weight_of, double own, double resolution,
                         double *tied, int64_t *parts, char *seen)
{
    int64_t home = label[v], count = 0;
    for (int64_t at = start[v]; at < start[v + 1]; at++) {
        if (near[at] == v)
            continue;
        int64_t part = label[near[at]];
        if (!seen[part]) {
            seen[part] = 1;
            tied[part] = 0.0;
            parts[count++] = part;
        }
        tied[part] += weight[at];
    }
    double pull = resolution * own;
    double at_home = seen[home] ? tied[home] : 0.0;
    double most = at_home - pull * (weight_of[home] - own) + 1e-9;
    int64_t best = home;
    for (int64_t i = 0; i < count; i++) {
        int64_t part = parts[i];
        if (part != home) {
            double gain = tied[part] - pull * weight_of[part];
            if (gain > most || (gain == most && best != home && part < best)) {
                best = part;
                most = gain;
            }
        }
    }
    for (int64_t i = 0; i < count; i++)
        seen[parts[i]] = 0;
    return best;
}

/* label, weight_of: as they begin, and as they end. tied, parts, seen: room for each part, the last all 0. */
void swerve_moves(int64_t size, const int64_t *start, const int64_t *near, const double *weight,
                  const double *degree, double resolution, int64_t sweeps_max, int64_t *label,
                  double *weight_of, double *tied, int64_t *parts, char *seen)
{
    for (int64_t sweep = 0; sweep < sweeps_max; sweep++) {
        int64_t moves = 0;
        for (int64_t v = 0; v < size; v++) {
            int64_t best = best_part(v, start, near, weight, label, weight_of, degree[v], resolution, tied, parts,
                                     seen);
            if (best != label[v]) {
                weight_of[label[v]] -= degree[v];
                weight_of[best] += degree[v];
                label[v] = best;
                moves++;
            }
        }
        if (!moves)
            break;
    }
}
