select * from {{ ref('rows') }} where id > 5
