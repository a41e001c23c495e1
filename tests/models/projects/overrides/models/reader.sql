select * from {{ ref('versioned', v=1) }} cross join {{ ref('versioned') }}
