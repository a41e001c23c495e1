{# the built-in one is still found under the package's name #}
{% materialization view, default %}
    {% do log('a view, our way: ' ~ this.identifier, info=true) %}
    {% set built = dbt.materialization_view_default() %}
    {% do return(built) %}
{% endmaterialization %}
