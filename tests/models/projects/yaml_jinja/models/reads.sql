select * from {{ source('maybe', 'things') }}
