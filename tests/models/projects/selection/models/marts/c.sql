select b.id, side.id as other from {{ ref('b') }} as b cross join {{ ref('side') }} as side
