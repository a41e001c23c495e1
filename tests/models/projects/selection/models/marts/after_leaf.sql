select * from {{ ref('leaf') }}
