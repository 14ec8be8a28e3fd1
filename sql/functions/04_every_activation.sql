-- macro:   every_activation(length, places, activations)
-- about:   the activation of every token of a window of which only those that fire are stored
create or replace macro every_activation(length, places, activations) as
    list_transform(range(length), lambda i: coalesce(activations[list_position(places, i)], 0::float));
