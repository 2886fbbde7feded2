#!/bin/sh
# Words that do not stand in our C: unbounded string functions, raw heap calls in engine rooms, comparisons of secrets
# that stop at the first difference, and notes to self. Prints file:line; exit 1 if there is one.
set -eu
cd "$(dirname "$0")/.."

# shellcheck disable=SC2016 # the dollars are perl's
find src include tests fuzz bench -name '*.[ch]' | LC_ALL=C sort | xargs perl -e '
use strict;
my $failed = 0;
my $everywhere = qr/\b(v?sprintf|strcpy|strcat|strncpy|strncat|strtok|v?sscanf|ato[ifl]|atoll|gets|system|popen|alloca|tmpnam|mktemp)\s*\(/;
my $lenient = qr/\b(strtou?ll?|strto[df])\s*\(/; # sign, blanks, base and locale of their own: bz_view_u64
my $heap = qr/\b(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf)\s*\(/;
my $secret = qr/\bmemcmp\s*\([^;]*(tag|digest|mac\b|hmac|sig\b|signature|token|secret|hash|checksum|pepper)/i;
for my $file (@ARGV) {
    open(my $in, "<", $file) or die "$file: $!\n";
    local $/;
    my $text = <$in>;
    close $in;
    my $no = 0;
    for my $line (split /\n/, $text) {
        $no++;
        if ($line =~ /\b(TO[D]O|FIX[M]E|X[X]X)\b/) {
            print "$file:$no: $1\n";
            $failed = 1;
        }
    }
    # Comments and strings out, lines kept.
    $text =~ s{(/\*.*?\*/)|(//[^\n]*)|("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])+\x27)}{
        my $was = $&;
        my $keep = $was =~ tr/\n//;
        (defined $3 ? "\"\"" : defined $4 ? "0" : " ") . "\n" x $keep;
    }gse;
    my $engine = $file =~ m{^(src/(base|dialect|detect|backup|policy|gateway|artifact|advisory|inventory|monitor)/|include/)}
        && $file !~ m{^src/base/(arena|buf)\.c$} && $file !~ m{^src/policy/config[^/]*\.c$};
    my $ours = $file =~ m{^(src|include)/};
    $no = 0;
    for my $line (split /\n/, $text) {
        $no++;
        my @why;
        push @why, "banned: $1" if $line =~ $everywhere;
        push @why, "banned: $1" if $ours && $line =~ $lenient;
        (my $bare = $line) =~ s/(->|\.)\s*\w+\s*\(/ /g; # members of that name are other functions
        push @why, "heap call in an engine room: $1" if $engine && $bare =~ $heap;
        push @why, "memcmp on a secret or a tag: use bz_ct_equal" if $ours && $line =~ $secret;
        for my $why (@why) {
            print "$file:$no: $why\n";
            $failed = 1;
        }
    }
}
exit $failed;
' || exit 1
