-- macro:   bin_floor(bin)
-- about:   least float32 whose bits >> 19 are `bin`: exponent in the upper bits, a sixteenth of the octave in the lower four
create or replace macro bin_floor(bin) as
    pow(2.0, (bin::integer >> 4) - 127) * (1 + (bin::integer & 15) / 16);
