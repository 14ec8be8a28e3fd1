-- Every feature that fires of one SAE on one corpus, as in view activation_shapes.
from activation_shapes where sae = $sae and corpus = $corpus order by feature_id
